"""Rate limits: headers on every answer, refusals on demand, a new slice when time goes on."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.toast.driver import BULK, Driver

ANY_DAY: dict[str, Any] = {"businessDate": "20260401"}
HEADERS = {"x-toast-ratelimit-by", "x-toast-ratelimit-remaining", "x-toast-ratelimit-reset"}
# Slices of an hour begin at full hours, as the world's clock does: none ends while a test runs.
SLICE_SECONDS = 3_600


@pytest.fixture
def limited(fresh: Driver) -> Driver:
    """A sandbox whose limits are on, with slices so long that real time does not matter."""
    fresh.control("settings", {"limits": 1, "slice_seconds": SLICE_SECONDS})
    return fresh


def test_every_answer_but_a_logins_tells_about_limits(shared: Driver) -> None:
    answers = [
        shared.get(BULK, **ANY_DAY),
        shared.get("/config/v2/discounts"),
        shared.get("/partners/v1/restaurants", 1, None),
        shared.get(f"/restaurants/v1/restaurants/{shared.restaurant()}"),
        shared.get(BULK),
    ]
    assert answers[-1].status_code == 400
    for answer in answers:
        assert set(answer.headers) >= HEADERS
        assert "retry-after" not in answer.headers
    assert answers[0].headers["x-toast-ratelimit-by"] == "ENDPOINT"
    assert answers[1].headers["x-toast-ratelimit-by"] == "GLOBAL"
    assert not set(shared.login().headers) & HEADERS


def test_without_the_setting_nobody_is_refused(shared: Driver) -> None:
    assert {shared.get(BULK, **ANY_DAY).status_code for _ in range(12)} == {200}


def test_a_sixth_list_of_orders_in_a_slice_is_refused(limited: Driver) -> None:
    answers = [limited.get(BULK, **ANY_DAY) for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert [each.headers["x-toast-ratelimit-remaining"] for each in answers[:5]] == ["4", "3", "2", "1", "0"]
    refused = answers[-1]
    assert refused.json()["status"] == 429
    assert 0 < int(refused.headers["retry-after"]) <= SLICE_SECONDS
    assert int(refused.headers["x-toast-ratelimit-reset"]) % SLICE_SECONDS == 0


def test_a_limit_is_a_restaurants_and_a_clients_own(limited: Driver) -> None:
    for _ in range(6):
        last = limited.get(BULK, **ANY_DAY)
    assert last.status_code == 429
    assert limited.get(BULK, place=1, **ANY_DAY).status_code == 200
    assert limited.get(BULK, account=1, **ANY_DAY).status_code == 200
    assert limited.get("/config/v2/discounts").status_code == 200


def test_other_calls_have_more_to_spend(limited: Driver) -> None:
    codes = [limited.get("/config/v2/discounts").status_code for _ in range(21)]
    assert codes == [200] * 20 + [429]


def test_a_quarter_of_an_hour_has_a_limit_too(limited: Driver) -> None:
    limited.control("settings", {"calls_per_quarter_hour": 3, "calls_per_slice": 1_000})
    codes = [limited.get("/config/v2/discounts").status_code for _ in range(4)]
    assert codes == [200] * 3 + [429]


def test_a_new_slice_begins_when_time_goes_on(limited: Driver) -> None:
    codes = [limited.get(BULK, **ANY_DAY).status_code for _ in range(6)]
    limited.control("clock", {"advance_seconds": SLICE_SECONDS})
    assert [codes[-1], limited.get(BULK, **ANY_DAY).status_code] == [429, 200]


def test_a_setting_that_nobody_has_is_refused(fresh: Driver) -> None:
    answer = fresh.http.post("/_sandbox/settings", json={"yeast": 1})
    assert answer.status_code == 400
    assert "yeast" in answer.json()["error"]
