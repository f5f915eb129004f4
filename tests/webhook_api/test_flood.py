"""Mutated deliveries of every POS over real HTTP: nothing breaks, nothing that is forged counts."""

from dataclasses import dataclass

import httpx
import pytest

from benchmarks.deliveries import Sent, Shop, capturing, connect_shops
from benchmarks.flood import Flood, flooded, forged_rows
from benchmarks.mutations import UNCHANGED, Mutation, mutations, proof_covers_body
from pipelines.registry import connectors
from pos_cli.sandbox import sandbox_environment
from pos_core.settings import get_settings
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.conftest import Project

COUNT = 2_000
OPERATOR_SECRET = "of-the-operator"


@dataclass(frozen=True)
class Target:
    """A service, and what vendors really sent it."""

    port: int
    shops: list[Shop]
    genuine: list[Sent]


@pytest.fixture
def target(project: Project, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Every account of a small sandbox connected, and deliveries for sales in each that have not come yet."""
    monkeypatch.setenv("WEBHOOK_BASE_URL", str(client.base_url).rstrip("/"))
    monkeypatch.setenv("WEBHOOK_SECRET", OPERATOR_SECRET)
    for name in connectors():
        monkeypatch.delenv(f"{name.upper()}_WEBHOOK_SIGNATURE_KEY", raising=False)
    get_settings.cache_clear()
    with in_thread(Options(scale="small")) as url:
        for name, value in sandbox_environment(url).items():
            monkeypatch.setenv(name, value)
        shops = connect_shops(url, OPERATOR_SECRET)
        with capturing(url, shops) as capture:
            genuine = capture.sold(2)
    port = client.base_url.port
    assert port is not None
    return Target(port, shops, genuine)


def test_no_mutation_breaks_the_service_and_no_forgery_is_accepted_or_stored(
    target: Target, project: Project
) -> None:
    found = flooded(target.port, mutations(target.genuine, COUNT, seed=7))
    assert found.answers.total() == COUNT
    assert [each.data[:200] for each in found.broken] == []
    assert [each.data[:200] for each in found.accepted] == []
    assert forged_rows(project.engine, target.genuine, target.shops) == []
    # A machine that is busy elsewhere may let a sender give up; whoever had an answer had this one.
    answers = {status for kind, status in found.answers if kind == UNCHANGED}
    assert answers - {None} == {200}
    assert {200, 400, 401, 404, 405, 413} <= found.load.statuses.keys()


def test_mutations_are_the_same_each_time_and_forged_or_not_of_every_pos(target: Target) -> None:
    some = list(mutations(target.genuine, 300, seed=1))
    assert some == list(mutations(target.genuine, 300, seed=1))
    assert some != list(mutations(target.genuine, 300, seed=2))
    for name in connectors():
        ours = [each for each in some if f"/{name}".encode() in each.data.partition(b"\r\n")[0]]
        assert {each.is_forged for each in ours} == {True, False}


def test_an_event_that_no_vendor_sent_would_be_found(target: Target, project: Project) -> None:
    flooded(target.port, [Mutation(each.request().data, kind=UNCHANGED) for each in target.genuine])
    signed = [each for each in target.genuine if proof_covers_body(each.pos_system)]
    assert forged_rows(project.engine, target.genuine, target.shops) == []
    assert len(forged_rows(project.engine, signed[1:], target.shops)) == 1
    shops_of_signed = [each for each in target.shops if proof_covers_body(each.pos_system)]
    assert forged_rows(project.engine, target.genuine, shops_of_signed)


def test_an_answer_that_must_not_be_is_found() -> None:
    found = Flood()
    forged, true = Mutation(b"", kind="proof", is_forged=True), Mutation(b"", kind=UNCHANGED)
    cut = Mutation(b"", after="cut", kind="cut")
    for mutation, status in (
        (forged, 401),
        (forged, 200),
        (true, 200),
        (true, 500),
        (cut, None),
        (true, None),
    ):
        found.note(mutation, status)
    assert (found.accepted, found.broken, found.unanswered) == ([forged], [true], [true])
