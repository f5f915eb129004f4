"""A vendor that is down is left alone: when that begins, what it does to a run, and how it ends."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from pipelines.breaker import IN_A_ROW, Guard
from pipelines.fetch import Fetched
from pipelines.gather import land_together
from pipelines.landing import Batch, make_batch
from pipelines.registry import get_connector
from pos_core.errors import (
    PosError,
    VaultError,
    VendorAnswerError,
    VendorAuthError,
    VendorFaultError,
    VendorRateLimitError,
    VendorUnreachableError,
)
from pos_core.repositories import breakers, configurations, sync_requests
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import as_tenants, fault, log, no_faults
from tests.pos_core.given import connect

SILENCE = VendorUnreachableError("The vendor does not answer.")
MANY = IN_A_ROW + 7


@dataclass
class Vendor:
    """What configurations hear when they ask, in the order in which they do; the last for ever."""

    heard: list[PosError | None]
    asked: list[UUID] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, fetched: Fetched, _emit: Callable[[Batch], None]) -> None:
        """Asks for one configuration."""
        with self._lock:
            self.asked.append(fetched.configuration.id)
            said = self.heard.pop(0) if len(self.heard) > 1 else self.heard[0]
        if said is not None:
            raise said


@pytest.fixture
def many(project: Project) -> list[Configuration]:
    """Configurations of many tenants, whose vendor the test plays."""
    with project.engine.begin() as connection:
        return [connect(connection) for _ in range(MANY)]


def _run(
    project: Project,
    some: list[Configuration],
    vendor: Vendor,
    *,
    is_asked_for: bool = False,
    workers: int = 1,
) -> list[Fetched]:
    """One run over configurations; how each ended."""
    connector = get_connector(some[0].pos_system)
    running = [Fetched(each, uuid4(), "poll") for each in some]
    guard = Guard(project.engine, connector, is_asked_for=is_asked_for)
    folder = project.home / "work"
    land_together(project.address, folder, workers, connector.pos_system, running, guard.before(vendor.work))
    return running


def _states(running: list[Fetched]) -> list[str]:
    return [each.status for each in running]


def _pass_time(project: Project) -> None:
    project.execute("update pos_vendor_breakers set open_until = now()")


def _open(project: Project, some: list[Configuration]) -> None:
    _run(project, some, Vendor([SILENCE]))


def test_after_some_in_a_row_without_an_answer_the_rest_is_not_asked(
    project: Project, many: list[Configuration]
) -> None:
    vendor = Vendor([SILENCE])
    running = _run(project, many, vendor)
    assert _states(running) == ["failed"] * IN_A_ROW + ["postponed"] * 7
    assert len(vendor.asked) == IN_A_ROW
    [breaker] = project.rows("select * from pos_vendor_breakers")
    assert (breaker["trips"], breaker["base_url"]) == (1, many[0].base_url)
    last = running[-1]
    assert last.postponed_until == breaker["open_until"]
    assert last.error is not None
    error_class, said = last.error
    assert error_class == "vendor_down"
    assert said.startswith("Square does not answer at the moment, whichever account asks")
    assert f"{breaker['open_until']:%H:%M:%S} UTC" in said


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param([SILENCE] * (IN_A_ROW - 1) + [None] + [SILENCE] * (IN_A_ROW - 1) + [None], id="answers"),
        pytest.param(
            [VendorFaultError("It fails.")] * (IN_A_ROW - 1) + [VendorAuthError("No."), SILENCE, None],
            id="a refusal is an answer",
        ),
        pytest.param([VendorRateLimitError("Too many.")], id="429"),
        pytest.param([VaultError("The key is lost.")], id="ours"),
    ],
)
def test_what_single_accounts_hear_opens_nothing(
    project: Project, many: list[Configuration], heard: list[PosError | None]
) -> None:
    vendor = Vendor(heard)
    assert "postponed" not in _states(_run(project, many, vendor))
    assert len(vendor.asked) == MANY
    assert project.rows("select * from pos_vendor_breakers") == []


def test_one_account_that_always_fails_opens_nothing_however_often_it_is_tried(
    project: Project, many: list[Configuration]
) -> None:
    for _ in range(IN_A_ROW + 1):
        assert _states(_run(project, many[:1], Vendor([VendorFaultError("It fails.")]))) == ["failed"]
    assert project.rows("select * from pos_vendor_breakers") == []


@pytest.mark.parametrize("error", [VendorFaultError("It fails."), VendorAnswerError("No JSON.")])
def test_a_vendor_that_answers_everybody_with_failures_is_down_too(
    project: Project, many: list[Configuration], error: PosError
) -> None:
    running = _run(project, many, Vendor([error]))
    assert _states(running).count("postponed") == 7
    assert "Square fails at the moment" in str(running[-1].error)


def test_while_it_is_open_no_process_asks(project: Project, many: list[Configuration]) -> None:
    _open(project, many)
    vendor = Vendor([None])
    assert _states(_run(project, many, vendor)) == ["postponed"] * MANY
    assert vendor.asked == []


@pytest.mark.parametrize("workers", [1, 4])
def test_when_its_time_has_come_one_asks_and_an_answer_lets_all_others_pass(
    project: Project, many: list[Configuration], workers: int
) -> None:
    _open(project, many)
    _pass_time(project)
    vendor = Vendor([None])
    assert _states(_run(project, many, vendor, workers=workers)) == ["succeeded"] * MANY
    assert len(vendor.asked) == MANY
    assert project.rows("select * from pos_vendor_breakers") == []


@pytest.mark.parametrize("workers", [1, 4])
def test_when_its_time_has_come_and_there_is_no_answer_one_has_asked(
    project: Project, many: list[Configuration], workers: int
) -> None:
    _open(project, many)
    _pass_time(project)
    vendor = Vendor([SILENCE])
    states = _states(_run(project, many, vendor, workers=workers))
    assert sorted(states) == ["failed"] + ["postponed"] * (MANY - 1)
    assert len(vendor.asked) == 1
    assert project.value("select trips from pos_vendor_breakers") == 2


def test_the_others_wait_while_one_asks_and_go_on_with_the_first_page_it_gets(
    project: Project, many: list[Configuration]
) -> None:
    _open(project, many)
    _pass_time(project)
    is_asking, has_page, others_passed = threading.Event(), threading.Event(), threading.Event()
    page = make_batch(many[0].tenant_id, many[0].id, "orders", "poll", [])

    def work(fetched: Fetched, emit: Callable[[Batch], None]) -> None:
        if fetched.configuration.id != many[0].id:
            assert has_page.is_set(), "it was let pass before the vendor had answered"
            others_passed.set()
            return
        is_asking.set()
        has_page.set()
        emit(page)
        assert others_passed.wait(30), "nobody was let pass though the vendor has answered"

    guard = Guard(project.engine, get_connector(many[0].pos_system), is_asked_for=False).before(work)
    taken: list[Batch] = []
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(guard, Fetched(many[0], uuid4(), "poll"), taken.append)
        assert is_asking.wait(30)
        second = pool.submit(guard, Fetched(many[1], uuid4(), "poll"), taken.append)
        assert (first.result(), second.result(), taken) == (None, None, [page])


def test_one_that_hears_nothing_of_the_vendor_leaves_it_to_the_next(
    project: Project, many: list[Configuration]
) -> None:
    _open(project, many)
    _pass_time(project)
    vendor = Vendor([VaultError("The key is lost."), None])
    assert _states(_run(project, many, vendor)) == ["failed"] + ["succeeded"] * (MANY - 1)
    assert project.rows("select * from pos_vendor_breakers") == []


def test_what_somebody_asks_for_is_tried_and_an_answer_closes_it_for_all(
    project: Project, many: list[Configuration]
) -> None:
    _open(project, many)
    vendor = Vendor([None])
    assert _states(_run(project, many[:1], vendor, is_asked_for=True)) == ["succeeded"]
    assert project.rows("select * from pos_vendor_breakers") == []


def test_of_much_that_somebody_asks_for_the_rest_waits_once_one_has_heard_nothing(
    project: Project, many: list[Configuration]
) -> None:
    _open(project, many)
    vendor = Vendor([SILENCE])
    assert _states(_run(project, many, vendor, is_asked_for=True)) == ["failed"] + ["postponed"] * (MANY - 1)
    assert project.value("select trips from pos_vendor_breakers") == 1


def test_another_address_of_the_vendor_is_not_concerned(project: Project, many: list[Configuration]) -> None:
    _open(project, many)
    project.execute("update pos_vendor_breakers set base_url = 'http://127.0.0.1:2'")
    vendor = Vendor([None])
    assert _states(_run(project, many[:1], vendor)) == ["succeeded"]
    assert len(project.rows("select * from pos_vendor_breakers")) == 1


def test_a_scheduled_sync_of_a_vendor_that_is_down_ends_soon_and_costs_nobody_a_failure(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    many = as_tenants(project, connected[0], MANY)
    asked = many[-1]
    with project.engine.begin() as connection:
        request, _ = sync_requests.ask(connection, asked.tenant_id, asked.id, "somebody")
    fault(sandbox, "status", status=503)
    report = project.sync(*many, is_scheduled=True)
    assert len(report.postponed) >= MANY - IN_A_ROW - project.context.workers
    assert len(report.failed) + len(report.postponed) == MANY
    row = log(project, asked)
    assert (row["status"], row["error_class"], row["calls"]) == ("postponed", "vendor_down", 0)
    with project.engine.connect() as connection:
        after = configurations.get(connection, asked.id)
        breaker = breakers.find(connection, asked.pos_system, asked.base_url)
        waiting = sync_requests.get(connection, asked.tenant_id, asked.id, request.id)
    assert breaker is not None
    assert (after.consecutive_failures, after.next_sync_at) == (0, breaker.open_until)
    assert (waiting.status, waiting.sync_id) == ("queued", None)
    no_faults(sandbox)
    _pass_time(project)
    report = project.sync(*many, is_scheduled=True)
    assert [each.status for each in report.outcomes] == ["succeeded"] * MANY
    assert project.rows("select * from pos_vendor_breakers") == []
    with project.engine.connect() as connection:
        done = sync_requests.get(connection, asked.tenant_id, asked.id, request.id)
    assert done.status == "succeeded"


def test_those_that_work_are_asked_first(project: Project, connected: list[Configuration]) -> None:
    some = as_tenants(project, connected[0], 3)
    project.execute("update pos_configurations set consecutive_failures = 3 where id = :id", id=some[0].id)
    report = project.sync(*some, is_scheduled=True)
    assert report.outcomes[-1].configuration.id == some[0].id
