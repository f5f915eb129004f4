"""Documents outside the marts: what raw holds of them, which are set aside, which are waited for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Row, func, select, text, update

from pos_core.database.tables import quarantined_documents, touched_documents, waiting_documents
from pos_core.repositories import documents
from pos_core.repositories.configurations import Configuration
from tests.pos_core.given import connect

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def configuration(connection: Connection) -> Configuration:
    """A configuration without documents."""
    return connect(connection)


def _owner(configuration: Configuration) -> dict[str, Any]:
    return {
        "tenant_id": configuration.tenant_id,
        "configuration_id": configuration.id,
        "pos_system": configuration.pos_system,
    }


def _land(
    connection: Connection,
    configuration: Configuration,
    external_id: str,
    version: int,
    load_id: str,
    stream: str = "orders",
) -> None:
    statement = text(f"""
        insert into raw_square.{stream}
        values (
            :tenant_id, :configuration_id, :external_id, :version, :at, :hash, 'poll', :at, :at, '{{}}',
            :load_id
        )
    """)
    connection.execute(
        statement,
        {
            "tenant_id": str(configuration.tenant_id),
            "configuration_id": str(configuration.id),
            "external_id": external_id,
            "version": version,
            "at": AT,
            "hash": f"hash-{version}",
            "load_id": load_id,
        },
    )


def _complete(connection: Connection, load_id: str, status: int = 0) -> None:
    connection.execute(
        text("insert into raw_square._dlt_loads values (:load_id, 'square', :status, now(), '')"),
        {"load_id": load_id, "status": status},
    )


def _known(
    connection: Connection, configuration: Configuration, *ids: str, stream: str = "orders"
) -> dict[str, list[int]]:
    known = documents.known_versions(connection, "square", stream, configuration.id, ids)
    return {key: sorted(version for version, *_ in versions) for key, versions in known.items()}


def test_known_are_the_versions_of_complete_loads_alone(
    connection: Connection, configuration: Configuration
) -> None:
    _complete(connection, "complete")
    _complete(connection, "half", status=1)
    for version, load_id in ((1, "complete"), (2, "half"), (3, "never told of")):
        _land(connection, configuration, "o1", version, load_id)
    assert _known(connection, configuration, "o1") == {"o1": [1]}
    _complete(connection, "never told of")
    assert _known(connection, configuration, "o1") == {"o1": [1, 3]}


def test_known_is_all_that_ranks_a_version(connection: Connection, configuration: Configuration) -> None:
    _complete(connection, "load")
    _land(connection, configuration, "o1", 4, "load")
    known = documents.known_versions(connection, "square", "orders", configuration.id, ["o1"])
    assert known == {"o1": [(4, AT, AT, "hash-4")]}


def test_known_are_only_those_asked_for_of_this_stream_and_configuration(
    connection: Connection, configuration: Configuration
) -> None:
    _complete(connection, "load")
    _land(connection, configuration, "o1", 1, "load")
    _land(connection, configuration, "o2", 1, "load")
    _land(connection, configuration, "o1", 2, "load", stream="payments")
    _land(connection, connect(connection), "o1", 3, "load")
    assert _known(connection, configuration, "o1", "o3") == {"o1": [1]}
    assert _known(connection, configuration, "o1", stream="payments") == {"o1": [2]}
    assert _known(connection, configuration) == {}


def _bad(configuration: Configuration, **given: Any) -> dict[str, Any]:
    return {
        **_owner(configuration),
        "stream": "orders",
        "external_id": "o1",
        "content_hash": "h1",
        "stage": "landing",
        "reason": "a NUL character",
        "document": b"{}",
        "source": "poll",
        "read_at": AT,
        **given,
    }


def _quarantined(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(
        select(quarantined_documents).order_by(quarantined_documents.c.content_hash)
    ).all()


def _move_clock(connection: Connection, table: Any, by: timedelta) -> None:
    """Makes rows older, which is the same as time that goes by."""
    names = ("first_seen_at", "last_seen_at", "give_up_at", "resolved_at")
    values = {name: table.c[name] - by for name in names if name in table.c}
    connection.execute(update(table).values(**values))


def test_a_document_that_is_seen_again_has_one_row_that_says_when(
    connection: Connection, configuration: Configuration
) -> None:
    documents.quarantine(connection, [_bad(configuration)])
    _move_clock(connection, quarantined_documents, timedelta(hours=1))
    later = AT + timedelta(hours=1)
    documents.quarantine(connection, [_bad(configuration, reason="still a NUL", read_at=later)])
    (row,) = _quarantined(connection)
    assert (row.reason, row.read_at, row.document) == ("still a NUL", later, b"{}")
    assert row.last_seen_at - row.first_seen_at == timedelta(hours=1)


def test_other_documents_stages_and_configurations_have_rows_of_their_own(
    connection: Connection, configuration: Configuration
) -> None:
    documents.quarantine(connection, [])
    rows = [
        _bad(configuration),
        _bad(configuration, content_hash="h2"),
        _bad(configuration, stage="model"),
        _bad(configuration, stream="payments"),
        _bad(configuration, external_id=None, content_hash="h3"),
        _bad(connect(connection)),
    ]
    documents.quarantine(connection, rows)
    assert len(_quarantined(connection)) == len(rows)


def test_a_later_version_that_was_landed_resolves_what_could_not_be(
    connection: Connection, configuration: Configuration
) -> None:
    other = connect(connection)
    rows = [
        _bad(configuration, content_hash="a"),
        _bad(configuration, content_hash="b", external_id="o2"),
        _bad(configuration, content_hash="c", stage="model"),
        _bad(configuration, content_hash="d", stream="payments"),
        _bad(configuration, content_hash="e", external_id=None),
        _bad(other, content_hash="f"),
    ]
    documents.quarantine(connection, rows)
    documents.resolve_quarantined(connection, configuration.id, "orders", ["o1", "o9"])
    assert [row.content_hash for row in _quarantined(connection) if row.resolved_at] == ["a"]


def test_a_resolved_document_that_comes_back_is_open_again(
    connection: Connection, configuration: Configuration
) -> None:
    documents.quarantine(connection, [_bad(configuration)])
    documents.resolve_quarantined(connection, configuration.id, "orders", ["o1"])
    documents.quarantine(connection, [_bad(configuration)])
    assert [row.resolved_at for row in _quarantined(connection)] == [None]


def _wait(connection: Connection, configuration: Configuration, *ids: str, reason: str = "no lines") -> None:
    waited = [(each, reason) for each in ids]
    documents.wait_for(connection, _owner(configuration), "orders", waited)


def _given_up(connection: Connection, configuration: Configuration, *ids: str) -> set[str]:
    return documents.given_up_ids(connection, configuration.id, "orders", ids)


def test_an_incomplete_document_is_waited_for_until_it_is_landed(
    connection: Connection, configuration: Configuration
) -> None:
    assert documents.waiting_ids(connection, configuration.id) == {}
    _wait(connection, configuration, "o2", "o1")
    documents.wait_for(connection, _owner(configuration), "payments", [("p1", "no amount")])
    _wait(connection, connect(connection), "o3")
    expected = {"orders": ["o1", "o2"], "payments": ["p1"]}
    assert documents.waiting_ids(connection, configuration.id) == expected
    documents.stop_waiting(connection, configuration.id, "orders", ["o1", "p1", "o3"])
    assert documents.waiting_ids(connection, configuration.id) == {"orders": ["o2"], "payments": ["p1"]}


def test_it_is_given_up_a_day_after_it_was_first_seen(
    connection: Connection, configuration: Configuration
) -> None:
    _wait(connection, configuration, "o1")
    row = connection.execute(select(waiting_documents)).one()
    assert row.give_up_at - row.first_seen_at == timedelta(days=1)
    _move_clock(connection, waiting_documents, timedelta(hours=23, minutes=59))
    _wait(connection, configuration, "o1", "o2", reason="still no lines")
    assert _given_up(connection, configuration, "o1", "o2") == set()
    _move_clock(connection, waiting_documents, timedelta(minutes=1))
    assert _given_up(connection, configuration, "o1", "o2") == {"o1"}
    assert _given_up(connection, configuration, "o2") == set()
    assert _given_up(connection, connect(connection), "o1") == set()
    reasons = connection.execute(select(waiting_documents.c.reason)).all()
    assert {row.reason for row in reasons} == {"still no lines"}


def test_one_that_was_given_up_stays_so_when_it_is_read_again(
    connection: Connection, configuration: Configuration
) -> None:
    _wait(connection, configuration, "o1")
    _move_clock(connection, waiting_documents, timedelta(days=2))
    documents.stop_waiting(connection, configuration.id, "orders", ["o1"])
    assert documents.waiting_ids(connection, configuration.id) == {}
    assert _given_up(connection, configuration, "o1") == {"o1"}


def test_one_that_was_complete_in_between_is_waited_for_anew(
    connection: Connection, configuration: Configuration
) -> None:
    _wait(connection, configuration, "o1")
    documents.stop_waiting(connection, configuration.id, "orders", ["o1"])
    _move_clock(connection, waiting_documents, timedelta(days=2))
    assert _given_up(connection, configuration, "o1") == set()
    _wait(connection, configuration, "o1")
    row = connection.execute(select(waiting_documents)).one()
    now = connection.execute(select(func.now())).scalar_one()
    assert (row.first_seen_at, row.give_up_at - now, row.resolved_at) == (now, timedelta(days=1), None)
    assert documents.waiting_ids(connection, configuration.id) == {"orders": ["o1"]}


def test_open_problems_are_those_that_need_somebody_newest_first(
    connection: Connection, configuration: Configuration
) -> None:
    documents.quarantine(connection, [_bad(configuration, content_hash="old")])
    _wait(connection, configuration, "o7")
    _move_clock(connection, quarantined_documents, timedelta(hours=1))
    documents.quarantine(
        connection,
        [
            _bad(configuration, content_hash="new", external_id="o2", stage="model", reason="no money"),
            _bad(configuration, content_hash="done", external_id="o3"),
            _bad(connect(connection), external_id="o4"),
        ],
    )
    documents.resolve_quarantined(connection, configuration.id, "orders", ["o3"])
    problems = documents.open_problems(connection, configuration.id)
    assert [each["external_id"] for each in problems["quarantined"]] == ["o2", "o1"]
    assert [each["external_id"] for each in problems["waiting"]] == ["o7"]
    first = problems["quarantined"][0]
    assert (first["stage"], first["reason"], first["stream"]) == ("model", "no money", "orders")
    everybodys = documents.open_problems(connection)
    assert {each["external_id"] for each in everybodys["quarantined"]} == {"o1", "o2", "o4"}


def test_touched_documents_are_noted(connection: Connection, configuration: Configuration) -> None:
    documents.touch(connection, configuration.id, [])
    documents.touch(connection, configuration.id, ["o1", "o2"])
    rows = connection.execute(select(touched_documents).order_by(touched_documents.c.id)).all()
    assert [(row.configuration_id, row.external_id) for row in rows] == [
        (configuration.id, "o1"),
        (configuration.id, "o2"),
    ]
