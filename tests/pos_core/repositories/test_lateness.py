"""How far back polls reach, by how late changes were seen to come."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from pos_core.repositories import lateness
from pos_core.repositories.lateness import ONE_MISSED_IN, WIDEST, needed
from tests.pos_core.given import connect


@pytest.mark.parametrize(
    ("buckets", "overlap"),
    [
        pytest.param({}, timedelta(0), id="nothing seen"),
        pytest.param({-1: 50}, timedelta(0), id="all in time"),
        pytest.param({-1: 50, 3: 1}, timedelta(seconds=8), id="few: the latest counts"),
        pytest.param({3: 5, 10: 1}, timedelta(seconds=1024), id="the latest of several"),
        pytest.param({-1: ONE_MISSED_IN, 3: 5, 10: 1}, timedelta(seconds=8), id="one in so many may"),
        pytest.param({-1: ONE_MISSED_IN, 3: 5, 10: 2}, timedelta(seconds=1024), id="two may not"),
        pytest.param({-1: 50, 30: 1}, WIDEST, id="never wider"),
    ],
)
def test_the_overlap_misses_no_more_than_is_stated(buckets: dict[int, int], overlap: timedelta) -> None:
    assert needed(buckets) == overlap


def test_what_syncs_saw_adds_up_per_configuration_and_stream(connection: Connection) -> None:
    first, second = connect(connection), connect(connection)
    for _ in range(2):
        lateness.record(connection, first.tenant_id, first.id, {("orders", 4): 1, ("payments", -1): 7})
    lateness.record(connection, second.tenant_id, second.id, {})
    assert lateness.overlaps(connection, first.id) == {
        "orders": timedelta(seconds=16),
        "payments": timedelta(0),
    }
    assert lateness.overlaps(connection, second.id) == {}
