"""Syncs that were asked for, from the request to the rows; ranges of every POS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from pipelines.requests import Launch, as_launches
from pipelines.sync import sync
from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import connect_accounts, control, sandbox_environment
from pos_core.errors import ConfigurationError
from pos_core.repositories import configurations, sync_requests
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from pos_core.repositories.sync_requests import SyncRequest
from sandbox.engine import Options
from sandbox.lightspeed import driver as lightspeed
from sandbox.square import driver as square
from sandbox.square.driver import Driver
from sandbox.toast import driver as toast
from tests.conftest import Project
from tests.pipelines.given import fault, log, no_faults, refusing, windows

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
SERVERS: dict[str, Any] = {"square": square.serving, "toast": toast.serving, "lightspeed": lightspeed.serving}


def _ask(project: Project, configuration: Configuration, *span: datetime | None) -> SyncRequest:
    with project.engine.begin() as connection:
        return sync_requests.ask(connection, configuration.tenant_id, configuration.id, "test", *span)[0]


def _now(project: Project, configuration: Configuration, request: SyncRequest) -> SyncRequest:
    with project.engine.connect() as connection:
        return sync_requests.get(connection, configuration.tenant_id, configuration.id, request.id)


@pytest.fixture(params=sorted(SERVERS))
def vendor_url(
    request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A small sandbox of each POS, with the operator's settings pointing to it."""
    with SERVERS[request.param](Options(scale="small")) as driver:
        for name, value in sandbox_environment(driver.url).items():
            monkeypatch.setenv(name, value)
        yield driver.url


def test_ranges_that_are_read_again_bring_nothing_twice_and_leave_no_gap(
    project: Project, vendor_url: str
) -> None:
    mine, *_ = every = [configuration for _, configuration in connect_accounts(vendor_url)]
    assert project.sync(*every).failed == []
    before = windows(project, mine)
    now = datetime.fromisoformat(control(vendor_url, "GET", "clock")["now"])
    earliest = min(each.history_from for each in every if each.history_from)
    edges = [earliest, now - timedelta(days=10), now - timedelta(days=2), now + timedelta(days=365)]
    for since, until in pairwise(edges):
        report = project.sync(*every, since=since, until=until)
        assert ([each.error for each in report.outcomes], report.loads) == ([None] * len(every), [])
        read_again = sum(each.fetched.counts.documents_skipped for each in report.outcomes if each.fetched)
        assert read_again > 0
    project.normalise()
    assert compare(project.engine, control(vendor_url, "GET", "truth")) == []
    assert log(project, mine)["source"] == "backfill"
    after = windows(project, mine)
    assert [(each["stream"], each["window_from"]) for each in after] == [
        (each["stream"], each["window_from"]) for each in before
    ]
    assert all(new["window_to"] >= old["window_to"] for new, old in zip(after, before, strict=True))


def test_a_range_is_a_gap_until_it_has_been_read_again(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = connected[0]
    project.sync(first)
    before = windows(project, first)
    fault(sandbox, "status", status=403)
    project.sync(first, since=MARCH, until=APRIL)
    assert log(project, first)["status"] == "failed"
    orders = [each for each in windows(project, first) if each["stream"] == "orders"]
    for location in {each["external_location_id"] for each in orders}:
        older, newer = (each for each in orders if each["external_location_id"] == location)
        assert (older["window_to"], newer["window_from"]) == (MARCH, APRIL)
    no_faults(sandbox)
    project.sync(first)
    assert log(project, first)["documents_skipped"] > 0
    assert windows(project, first) == before


@pytest.mark.parametrize(
    ("since", "until", "word"),
    [
        (None, APRIL, "needs a beginning"),
        (APRIL, APRIL, "after it begins"),
        (APRIL, MARCH, "after it begins"),
    ],
)
def test_a_range_that_is_none_is_refused(
    project: Project, since: datetime | None, until: datetime, word: str
) -> None:
    with pytest.raises(ConfigurationError, match=word):
        sync(project.context, [uuid4()], since=since, until=until)


def test_any_sync_of_what_is_missing_does_what_was_asked_for_before_it(
    project: Project, connected: list[Configuration]
) -> None:
    first, second = connected
    mine, march, other = _ask(project, first), _ask(project, first, MARCH, APRIL), _ask(project, second)
    project.sync(first)
    done = _now(project, first, mine)
    assert (done.status, done.sync_id) == ("succeeded", log(project, first)["id"])
    assert _now(project, first, march) == march
    assert _now(project, second, other) == other


def test_a_range_is_done_by_the_sync_of_exactly_it(project: Project, connected: list[Configuration]) -> None:
    first = connected[0]
    plain, march = _ask(project, first), _ask(project, first, MARCH, APRIL)
    since_march = _ask(project, first, MARCH)
    project.sync(first, since=MARCH, until=APRIL + timedelta(microseconds=1))
    asked = (plain, march, since_march)
    assert {_now(project, first, each).status for each in asked} == {"queued"}
    project.sync(first, since=MARCH, until=APRIL)
    assert [_now(project, first, each).status for each in asked] == ["queued", "succeeded", "queued"]
    project.sync(first, since=MARCH)
    assert [_now(project, first, each).status for each in asked] == ["queued", "succeeded", "succeeded"]


def test_a_request_ends_as_its_sync_ends(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first, second = connected
    lost, refused = _ask(project, first), _ask(project, second)
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(1), "state": "expired"})
    with refusing(project, "raw_square.orders"):
        project.sync(first)
    project.sync(second)
    assert _now(project, first, lost).status == "failed"
    assert _now(project, second, refused).status == "failed"


def test_what_another_run_is_syncing_leaves_the_request_queued(
    project: Project, connected: list[Configuration]
) -> None:
    request = _ask(project, connected[0])
    with held_configurations(project.engine, [connected[0].id]):
        assert [each.status for each in project.sync(connected[0]).outcomes] == ["busy"]
    assert _now(project, connected[0], request) == request


def test_a_sync_of_a_disabled_configuration_ends_its_requests(
    project: Project, connected: list[Configuration]
) -> None:
    first, second = connected
    gone, kept = _ask(project, first), _ask(project, second)
    with project.engine.begin() as connection:
        configurations.disable(connection, first.id, "closed", Actor("test"))
    project.sync(first)
    assert _now(project, first, gone).status == "failed"
    assert _now(project, second, kept).status == "queued"


def test_requests_for_the_same_read_are_one_run(project: Project, connected: list[Configuration]) -> None:
    first, second = connected
    asked = [
        _ask(project, first),
        _ask(project, first, MARCH, APRIL),
        _ask(project, second),
        _ask(project, second, MARCH, None),
    ]
    plain, march, since = as_launches(asked)
    assert plain == Launch((asked[0].id, asked[2].id), (first.id, second.id), None, None)
    assert march == Launch((asked[1].id,), (first.id,), MARCH, APRIL)
    assert plain.run_config == {
        "ops": {
            "sync": {
                "config": {
                    "configuration_ids": [str(first.id), str(second.id)],
                    "requested_only": True,
                }
            }
        }
    }
    config = since.run_config["ops"]["sync"]["config"]
    assert (config["since"], config.get("until")) == ("2026-03-01T00:00:00+00:00", None)
    assert plain.tags == {"pos/configurations": "2", "pos/requested": "true"}
