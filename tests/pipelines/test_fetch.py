"""One configuration from the vendor's pages to batches, with a vendor that misbehaves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from pipelines.connector import Page, ReadRequest, WindowRead
from pipelines.credentials import StoredKeeper
from pipelines.fetch import Fetched, fetch, take_page
from pipelines.landing import Batch
from pipelines.square import CONNECTOR
from pipelines.windows import Plan
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_core.errors import ConfigurationError, VendorFaultError, VendorRequestError
from pos_core.repositories.configurations import Configuration
from sandbox.engine import Options
from sandbox.square.driver import Driver, serving
from tests.conftest import Project
from tests.pipelines.given import calls, fault, inject, order

VENDOR_NOW = datetime(2026, 4, 12, 18, tzinfo=UTC)


class Read:
    """One fetch, and what came of it, failed or not."""

    def __init__(self, project: Project, configuration: Configuration) -> None:
        self.fetched = Fetched(configuration, uuid4(), "poll")
        self.batches: list[Batch] = []
        self._project = project

    def run(self, **limits: Any) -> "Read":
        """Reads what is missing."""
        project = self._project
        fetch(project.engine, project.vault, CONNECTOR, self.fetched, self.batches.append, **limits)
        return self

    def ends(self) -> dict[tuple[str, str], datetime]:
        """Up to when each stream of each location was read."""
        windows = sorted(self.fetched.windows, key=lambda each: each.window_to)
        return {(each.stream, each.external_location_id): each.window_to for each in windows}

    def ids(self, stream: str) -> list[str]:
        """The ids of what would land, in order."""
        tables = [batch.table for batch in self.batches if batch.stream == stream]
        return [key for table in tables for key in table.column("external_id").to_pylist()]


def test_everything_the_vendor_has_is_read_once(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    read = Read(project, connected[0]).run()
    assert sorted(read.ids("orders")) == sorted(sandbox.orders())
    assert sorted(read.ids("payments")) == sorted(each["id"] for each in sandbox.payments())
    assert sorted(read.ids("locations")) == sorted(sandbox.locations())
    counts = read.fetched.counts
    assert counts.documents_read == counts.documents_landed + counts.documents_skipped
    assert counts.documents_landed == sum(batch.table.num_rows for batch in read.batches)
    assert counts.calls == counts.pages
    assert counts.received_bytes > 10_000


def test_windows_end_at_the_vendors_clock_not_at_ours(
    project: Project, connected: list[Configuration]
) -> None:
    read = Read(project, connected[0]).run()
    assert set(read.ends().values()) == {VENDOR_NOW}
    assert read.fetched.read_until == VENDOR_NOW
    lag = read.fetched.lag_seconds
    assert lag is not None
    assert 0 <= lag < 7 * 86_400


def test_too_much_is_left_for_another_time_and_the_newest_is_read_first(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    newest = Read(project, connected[0]).run(is_newest_only=True)
    week_ago = (VENDOR_NOW - timedelta(days=7)).isoformat()
    recent = [key for key, each in sandbox.orders().items() if each["updated_at"] >= week_ago[:19]]
    assert 0 < len(recent) < len(sandbox.orders())
    assert sorted(newest.ids("orders")) == sorted(recent)
    assert newest.fetched.has_more
    assert {window.window_from for window in newest.fetched.windows if window.stream == "orders"} == {
        VENDOR_NOW - timedelta(days=7)
    }
    some = Read(project, connected[0]).run(most=1)
    assert some.fetched.has_more
    assert {window.stream for window in some.fetched.windows} == {"catalog"}


@pytest.fixture
def chain(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Driver, Configuration]]:
    """A merchant with twelve shops."""
    with serving(Options(scale="demo", merchants=1, orders=40)) as sandbox:
        for name, value in sandbox_environment(sandbox.url).items():
            monkeypatch.setenv(name, value)
        yield sandbox, connect_accounts(sandbox.url)[0][1]


def test_more_than_ten_locations_are_read_and_each_has_its_windows(
    project: Project, chain: tuple[Driver, Configuration]
) -> None:
    sandbox, configuration = chain
    read = Read(project, configuration).run()
    assert len(sandbox.locations()) == 12
    assert sorted(read.ids("orders")) == sorted(sandbox.orders())
    for stream in ("orders", "payments"):
        named = [location for name, location in read.ends() if name == stream]
        assert sorted(named) == sorted(sandbox.locations())
    assert calls(sandbox, "/v2/orders/search") >= 2


def many_payments(sandbox: Driver, count: int, updated_at: str) -> list[str]:
    """Payments of the first location that share one instant."""
    ids = [f"pay-{number:03d}" for number in range(count)]
    for key in ids:
        inject(
            sandbox,
            {
                "id": key,
                "location_id": sandbox.locations()[0],
                "created_at": updated_at,
                "updated_at": updated_at,
            },
            "payments",
        )
    return ids


def test_cursors_that_expire_cost_nothing(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """More payments of one instant than a page holds: only then a cursor is followed."""
    ids = many_payments(sandbox, 230, "2026-04-12T10:00:00Z")
    fault(sandbox, "expire_cursors", "/v2/payments", count=2)
    read = Read(project, connected[0]).run()
    landed = read.ids("payments")
    assert set(ids) <= set(landed)
    assert sorted(landed) == sorted(each["id"] for each in sandbox.payments())
    assert sandbox.http.get("/_sandbox/faults").json()[0]["happened"] == 2


def test_cursors_that_always_expire_are_given_up(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    many_payments(sandbox, 230, "2026-04-12T10:00:00Z")
    fault(sandbox, "expire_cursors", "/v2/payments", rate=1)
    with pytest.raises(VendorRequestError) as caught:
        Read(project, connected[0]).run()
    assert caught.value.code == "INVALID_CURSOR"


def test_a_change_while_paging_neither_skips_nor_loses_a_document(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """A payment of the first page changes before the second page is asked for, and shifts all that follow."""
    location = sandbox.locations()[0]
    for number in range(250):
        at = f"2026-04-12T10:{number // 60:02d}:{number % 60:02d}Z"
        inject(
            sandbox,
            {"id": f"pay-{number:03d}", "location_id": location, "created_at": at, "updated_at": at},
            "payments",
        )
    keeper = StoredKeeper(project.engine, project.vault, connected[0])
    seen: list[str] = []
    spans: list[WindowRead] = []
    with CONNECTOR.open_http(connected[0].base_url, keeper) as http:
        plan = Plan(datetime(2026, 4, 12, 9, 30, tzinfo=UTC))
        for event in CONNECTOR.read(ReadRequest(uuid4(), "", keeper.current, http, plan)):
            if isinstance(event, WindowRead):
                spans += [event] if event.location_ids == (location,) else []
            elif event.stream == "payments":
                if not any(key.startswith("pay-") for key in seen):
                    changed = {"id": "pay-010", "location_id": location, "version": 2}
                    inject(sandbox, {**changed, "created_at": "2026-04-12T10:00:10Z"}, "payments")
                seen += [str(document["id"]) for document in event.documents]
    assert {f"pay-{number:03d}" for number in range(250)} <= set(seen)
    payments = [span for span in spans if span.stream == "payments"]
    assert len(payments) > 1
    assert all(one.window_to == other.window_from for one, other in pairwise(payments))
    assert payments[-1].window_to == VENDOR_NOW


def test_what_was_read_before_a_failure_is_not_read_again(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    fault(sandbox, "status", "/v2/orders/search", status=500)
    read = Read(project, connected[0])
    with pytest.raises(VendorFaultError):
        read.run()
    assert {window.stream for window in read.fetched.windows} == {"catalog", "refunds", "payments"}
    assert read.fetched.counts.retries == 5
    assert read.fetched.counts.calls > 6


@pytest.mark.parametrize("kind", ["reset", "truncate", "status"])
def test_passing_faults_are_ridden_out(
    project: Project, sandbox: Driver, connected: list[Configuration], kind: str
) -> None:
    fault(sandbox, kind, "/v2/orders/search", count=2, status=503)
    fault(sandbox, "status", "/v2/payments", count=4, status=429)
    fault(sandbox, "status", "/v2/locations", count=1, status=408, retry_after="0")
    read = Read(project, connected[0]).run()
    assert sorted(read.ids("orders")) == sorted(sandbox.orders())
    assert read.fetched.counts.retries == 7


@pytest.mark.parametrize("stream", ["orders", "payments", "refunds", "catalog", "locations"])
def test_nonsense_in_a_list_stops_nothing_of_it(
    project: Project, sandbox: Driver, connected: list[Configuration], stream: str
) -> None:
    nonsense = ["null", "5", '"text"', "[]", "{}", '{"id": null}', '{"id": ["x"]}', '{"id":"nul\\u0000"}']
    if stream == "catalog":  # the search is for types, so only what has one is found
        nonsense = ['{"type": "ITEM"}', '{"type": "ITEM", "id": 5}', '{"type":"CATEGORY","id":"nul\\u0000"}']
    for text in nonsense:
        inject(sandbox, text, stream)
    read = Read(project, connected[0]).run()
    assert len([each for each in read.fetched.quarantined if each.stream == stream]) == len(nonsense)
    sold = [each["external_id"] for each in sandbox.truth(0)["transactions"]]
    assert sorted(read.ids("orders")) == sorted(sold)


def test_a_time_that_is_a_document_s_mistake_does_not_lead_the_reading_astray(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, {**order(sandbox, "odd"), "updated_at": "9999-12-31T23:59:59"})
    read = Read(project, connected[0]).run()
    assert "odd" in read.ids("orders")
    assert set(read.ends().values()) == {VENDOR_NOW}


def test_a_configuration_stays_with_the_address_it_was_made_for(
    project: Project, connected: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUARE_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="stays with the address"):
        Read(project, connected[0]).run()


def test_a_page_that_lists_a_document_twice_lands_it_once(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    fetched = Fetched(connected[0], uuid4(), "poll")
    one, newer = order(sandbox, "a"), order(sandbox, "a", version=2)
    pages = [[one, newer, one], [newer]]
    batches = [
        batch
        for documents in pages
        for batch in take_page(project.engine, CONNECTOR, fetched, Page("orders", documents, VENDOR_NOW))
    ]
    assert [batch.table.column("external_version").to_pylist() for batch in batches] == [[1, 2]]
    assert (fetched.counts.documents_landed, fetched.counts.documents_skipped) == (2, 2)
    assert fetched.news == {("orders", "new"): 1, ("orders", "changed"): 1}
