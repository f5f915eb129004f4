"""Values that no list of a vendor's has: found by their path, counted, never a failure."""

from typing import Any

import pytest

from pipelines.enums import unknown_values
from pipelines.registry import connectors
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project

KNOWN = {"state": frozenset({"OPEN"}), "tenders[].card.status": frozenset({"CAPTURED"})}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"state": "OPEN"}, []),
        ({"state": "MELTED"}, [("state", "MELTED")]),
        ({"state": None, "tenders": None}, []),
        ({"state": 7, "tenders": {"card": "none"}}, []),
        (
            {
                "tenders": [
                    {"card": {"status": "A"}},
                    {},
                    3,
                    {"card": {"status": "CAPTURED"}},
                    {"card": {"status": "A"}},
                ]
            },
            [("tenders[].card.status", "A"), ("tenders[].card.status", "A")],
        ),
    ],
)
def test_unknown_values_are_found_wherever_they_are(document: Any, found: list[tuple[str, str]]) -> None:
    assert list(unknown_values(document, KNOWN)) == found


def test_every_list_is_of_a_stream_that_there_is() -> None:
    for connector in connectors().values():
        assert set(connector.known_values) <= {stream.name for stream in connector.streams}
        assert connector.known_values[connector.sales_stream]


def test_a_sync_counts_them_in_its_log_and_lands_the_document(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    mine = next(each for each in connected if each.account_id == sandbox.merchant_id())
    project.sync(mine)
    before = project.value("select count(*) from raw_square.orders")
    # The sandbox's shelves know one sort of money that the API's document does not have.
    counted = project.value(
        "select unknown_values from pos_sync_logs where configuration_id = :id", id=mine.id
    )
    future = project.value(
        """
        select count(*) from raw_square.orders as o, jsonb_array_elements(o.payload::jsonb -> 'tenders') as t
        where t ->> 'type' not in ('CARD', 'CASH', 'THIRD_PARTY_CARD', 'SQUARE_GIFT_CARD', 'NO_SALE',
            'BANK_ACCOUNT', 'WALLET', 'BUY_NOW_PAY_LATER', 'SQUARE_ACCOUNT', 'OTHER')
        """
    )
    assert before > 0
    assert future > 0
    assert (
        sum(count for name, count in counted.items() if name.startswith("orders.tenders[].type=")) == future
    )
    project.sync(mine)
    assert project.value("select count(*) from pos_sync_logs where unknown_values <> '{}'") == 1
