"""Documents from a file: landed and normalised like any other, never over what was read."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pipelines.replay import replay
from pos_core.errors import ConfigurationError, DocumentError
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import inject, log, open_quarantine, order, refusing


def total(project: Project, key: str) -> object:
    """What the marts say of a sale."""
    return project.value("select total_amount from pos_transactions where external_id = :key", key=key)


def money(amount: int) -> dict[str, object]:
    """Dollars."""
    return {"amount": amount, "currency": "USD"}


def test_one_object_an_array_and_an_answer_are_all_read(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    one, two, three = (order(sandbox, key) for key in "abc")
    project.replay(connected[0], "orders", one)
    project.replay(connected[0], "orders", [one, two])
    counts = project.replay(connected[0], "orders", {"orders": [two, three], "cursor": "x"})
    assert (counts.documents_landed, counts.documents_skipped) == (1, 1)
    rows = project.rows("select external_id, source, read_at from raw_square.orders order by 1")
    assert rows == [{"external_id": key, "source": "replay", "read_at": None} for key in "abc"]


def test_an_old_file_never_overwrites_what_was_read(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """Neither without a time nor with one before the reading; with a later one it does."""
    plain = {key: value for key, value in order(sandbox, "sale").items() if key != "version"}
    inject(sandbox, plain)
    project.sync(connected[0])
    old = {
        **plain,
        "total_money": money(999),
        "line_items": [{**plain["line_items"][0], "total_money": money(999)}],
    }
    project.replay(connected[0], "orders", old)
    project.replay(connected[0], "orders", old, datetime(2020, 1, 1, tzinfo=UTC))
    project.normalise()
    assert total(project, "sale") == 4.5
    project.replay(connected[0], "orders", old, datetime(2100, 1, 1, tzinfo=UTC))
    project.normalise()
    assert float(str(total(project, "sale"))) == 9.99


def test_a_replayed_document_that_is_then_read_counts_as_read(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    document = order(sandbox, "sale")
    project.replay(connected[0], "orders", document)
    inject(sandbox, document)
    for _ in range(2):
        project.sync(connected[0])
    rows = project.rows(
        "select source from raw_square.orders where external_id = 'sale' order by received_at"
    )
    assert [row["source"] for row in rows] == ["replay", "poll"]


def test_a_document_that_is_there_already_is_normalised_again_in_any_case(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    project.sync(connected[0])
    project.normalise()
    key, document = next(iter(sandbox.orders().items()))
    before = project.value("select normalized_at from pos_transactions where external_id = :key", key=key)
    counts = project.replay(connected[0], "orders", document)
    assert counts.documents_landed == 0
    assert project.normalise().touched == {connected[0].id: 1}
    after = project.value("select normalized_at from pos_transactions where external_id = :key", key=key)
    assert after > before


def test_an_incomplete_document_from_a_file_lands_as_it_is(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    project.replay(connected[0], "orders", order(sandbox, "bare", line_items=None))
    assert project.value("select count(*) from raw_square.orders") == 1
    assert project.rows("select * from pos_waiting_documents") == []


def test_what_raw_cannot_hold_is_quarantined_from_a_file_too(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    good = order(sandbox, "good")
    counts = project.replay(connected[0], "orders", [{**good, "id": "nul", "name": "\x00"}, good])
    assert (counts.documents_quarantined, counts.documents_landed) == (1, 1)
    assert [row["source"] for row in open_quarantine(project)] == ["replay"]


def test_mistakes_are_named(project: Project, connected: list[Configuration]) -> None:
    with pytest.raises(ConfigurationError, match="There is no configuration"):
        replay(project.context, uuid4(), "orders", {}, None)
    with pytest.raises(ConfigurationError, match="no stream 'loaves'; choose one of: locations, catalog"):
        project.replay(connected[0], "loaves", {"id": "x"})
    nothing: list[object] = [[], {"orders": []}]
    for empty in nothing:
        with pytest.raises(DocumentError, match="holds no documents"):
            project.replay(connected[0], "orders", empty)
    for nonsense in ("text", 5, None, [5]):
        with pytest.raises(DocumentError, match="neither a JSON object nor an array"):
            project.replay(connected[0], "orders", nonsense)


def test_a_load_that_fails_is_written_down(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    with refusing(project, "raw_square.orders"), pytest.raises(Exception, match="refused for a test"):
        project.replay(connected[0], "orders", order(sandbox, "sale"))
    row = log(project, connected[0])
    assert (row["source"], row["status"], row["error_class"]) == ("replay", "failed", "landing")
