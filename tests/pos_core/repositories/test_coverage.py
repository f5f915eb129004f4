"""What was read until when, and the gaps before that, from the ledger alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from pos_core.database.tables import configurations
from pos_core.repositories import ledger
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.coverage import Coverage, coverage, newest_change_at
from pos_core.repositories.ledger import Window
from tests.pos_core.given import connect

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """A time on a line of minutes; the account's history begins at 0."""
    return START + timedelta(minutes=minutes)


def _read(
    connection: Connection, configuration: Configuration, stream: str, location: str, *spans: int
) -> None:
    windows = [
        Window(stream, location, at(start), at(end))
        for start, end in zip(spans[::2], spans[1::2], strict=True)
    ]
    ledger.commit(connection, configuration.tenant_id, configuration.id, uuid4(), windows)


def _coverage(
    connection: Connection, configuration: Configuration, tenant_id: UUID | None = None, most_gaps: int = 20
) -> dict[tuple[str, str], Coverage]:
    found = coverage(
        connection,
        tenant_id or configuration.tenant_id,
        configuration.id,
        ["catalog"],
        ["orders"],
        most_gaps,
    )
    return {(each.stream, each.external_location_id): each for each in found}


def test_each_stream_of_each_shop_is_there_read_or_not(connection: Connection) -> None:
    mine = connect(connection)
    _read(connection, mine, "orders", "L1", 0, 10)
    found = _coverage(connection, mine)
    assert set(found) == {("catalog", ""), ("orders", "L1"), ("orders", "L2")}
    assert found["orders", "L1"] == Coverage("orders", "L1", "High Street", at(10), 0, ())
    assert found["orders", "L2"] == Coverage("orders", "L2", "Station", None, 0, ())
    assert found["catalog", ""] == Coverage("catalog", "", None, None, 0, ())


def test_what_lies_before_and_between_windows_is_a_gap(connection: Connection) -> None:
    mine, other = connect(connection), connect(connection)
    _read(connection, mine, "orders", "L1", 5, 10, 20, 30, 30, 40)
    _read(connection, other, "orders", "L1", 0, 60)
    _read(connection, mine, "payments", "L1", 0, 60)
    found = _coverage(connection, mine)["orders", "L1"]
    assert found.gaps == ((at(0), at(5)), (at(10), at(20)))
    assert (found.gap_count, found.read_until) == (2, at(40))


def test_of_many_gaps_the_newest_are_listed_and_all_are_counted(connection: Connection) -> None:
    mine = connect(connection)
    _read(connection, mine, "catalog", "", *(minute for minute in range(100)))
    found = _coverage(connection, mine, most_gaps=2)["catalog", ""]
    assert (found.gap_count, found.gaps) == (49, ((at(95), at(96)), (at(97), at(98))))


def test_where_the_beginning_is_not_known_nothing_before_the_first_window_is_missing(
    connection: Connection,
) -> None:
    mine = connect(connection)
    connection.execute(configurations.update().values(history_from=None))
    _read(connection, mine, "catalog", "", 5, 10, 12, 13)
    assert _coverage(connection, mine)["catalog", ""].gaps == ((at(10), at(12)),)


def test_a_shop_that_is_not_live_any_more_is_left_out(connection: Connection) -> None:
    mine = connect(connection)
    connection.exec_driver_sql(
        "update pos_configuration_locations set is_live = false where external_location_id = 'L2'"
    )
    assert ("orders", "L2") not in _coverage(connection, mine)


def test_another_tenant_gets_nothing(connection: Connection) -> None:
    mine = connect(connection)
    _read(connection, mine, "orders", "L1", 0, 10)
    assert _coverage(connection, mine, tenant_id=uuid4()) == {}


def test_before_anything_was_normalised_no_change_is_known(connection: Connection) -> None:
    mine = connect(connection)
    assert newest_change_at(connection, mine.tenant_id, mine.id) is None
    assert _coverage(connection, mine)  # the transaction goes on
