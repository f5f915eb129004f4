"""Reading sales: ranges, pages, what is included, business days, refusals, the older API."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import pytest

from sandbox.clock import DAY, SECOND, WORLD_END, format_instant, parse_instant
from sandbox.engine import Options, open_world
from sandbox.lightspeed.book import NEVER
from sandbox.lightspeed.days import business_date, day_ends
from sandbox.lightspeed.driver import ALL, Driver, exact, serving
from sandbox.lightspeed.names import time_text
from sandbox.lightspeed.rounds import run_round
from sandbox.lightspeed.server import LightspeedServer


def path_of(driver: Driver, account: int = 0, place: int = 0, what: str = "sales") -> str:
    """A route of the newer API."""
    return f"/f/v2/business-location/{driver.locations(account)[place]}/{what}"


def read_range(driver: Driver, account: int = 0, **parameters: Any) -> list[dict[str, Any]]:
    """All sales of the first location by closing time."""
    return [sale for page in driver.pages(account, **parameters) for sale in page["sales"]]


def test_sales_are_sorted_by_their_closing(shared: Driver) -> None:
    for account in (0, 1):
        times = [parse_instant(sale["timeClosed"]) for sale in read_range(shared, account)]
        assert times == sorted(times)
        assert len(times) > 20


def test_both_locations_together_are_the_truth(shared: Driver) -> None:
    for account in (0, 1):
        assert set(shared.sales(account)) == set(shared.truth(account))


def test_payments_are_missing_unless_asked_for(shared: Driver) -> None:
    bare = read_range(shared, include="")
    assert bare
    personal = {"payments", "ownerName", "tableName", "accountProfileCode"}
    assert not any(personal & set(sale) for sale in bare)
    lines = [line for sale in bare for line in sale["salesLines"]]
    assert not any({"revenueCenter", "staffName", "accountProfileCode"} & set(line) for line in lines)
    asked = read_range(shared, include="payments, nonsense,revenue_center")
    assert all("payments" in sale for sale in asked)
    payments = [payment for sale in asked for payment in sale["payments"]]
    assert all("revenueCenter" in payment for payment in payments)
    assert not any({"consumer", "authorization", "staffName"} & set(payment) for payment in payments)
    whole = read_range(shared, include=ALL)
    assert any("consumer" in payment for sale in whole for payment in sale["payments"])
    assert any("authorization" in payment for sale in whole for payment in sale["payments"])


@pytest.mark.parametrize("size", [3, 7, 50])
def test_pages_add_up_to_the_whole(shared: Driver, size: int) -> None:
    whole = [sale["accountFiscId"] for sale in read_range(shared, 1)]
    paged = [sale["accountFiscId"] for sale in read_range(shared, 1, pageSize=size)]
    assert list(dict.fromkeys(paged)) == whole
    sizes = [len(page["sales"]) for page in shared.pages(1, pageSize=size)]
    assert all(each == size for each in sizes[:-1])


def test_a_page_token_is_the_bare_time_of_the_next_sale(shared: Driver) -> None:
    first, second = list(shared.pages(pageSize=10))[:2]
    text = base64.b64decode(first["nextPageToken"]).decode()
    assert text == second["sales"][0]["timeClosed"]


def test_sales_of_one_millisecond_at_a_page_edge_come_twice(shared: Driver) -> None:
    whole = read_range(shared)
    times = [sale["timeClosed"] for sale in whole]
    edge = next(place for place in range(1, len(times)) if times[place] == times[place - 1])
    paged = [sale["accountFiscId"] for sale in read_range(shared, pageSize=edge)]
    repeated = {key for key, count in Counter(paged).items() if count > 1}
    assert whole[edge - 1]["accountFiscId"] in repeated
    assert set(paged) == {sale["accountFiscId"] for sale in whole}


def test_more_sales_of_one_millisecond_than_a_page_holds_are_lost(shared: Driver) -> None:
    whole = {sale["accountFiscId"] for sale in read_range(shared)}
    paged = {sale["accountFiscId"] for sale in read_range(shared, pageSize=1)}
    assert paged < whole


def test_the_end_of_a_list_is_told_in_three_ways(shared: Driver) -> None:
    ends: set[str] = set()
    for day in range(1, 13):
        page = list(shared.pages(1, to=f"2026-04-{day:02d}T00:00:00Z"))[-1]
        ends.add(repr(page.get("nextPageToken", "absent")))
    assert ends == {"'absent'", "None", "''"}


def test_a_range_is_half_open(shared: Driver) -> None:
    edge = read_range(shared)[20]["timeClosed"]
    before = {sale["accountFiscId"] for sale in read_range(shared, to=edge)}
    after = {sale["accountFiscId"] for sale in read_range(shared, from_=edge)}
    whole = {sale["accountFiscId"] for sale in read_range(shared)}
    assert before | after == whole
    assert not before & after
    assert all(sale["timeClosed"] != edge for sale in read_range(shared, to=edge))


def test_an_end_in_the_future_is_now(shared: Driver) -> None:
    assert read_range(shared, to="2027-01-01T00:00:00Z") == read_range(shared)


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({}, "Required request parameter 'from' for method parameter type OffsetDateTime is not present"),
    ({"from_": "12/12/2023"}, "Invalid date format: 12/12/2023"),
    ({"from_": "2026-04-02T00:00:00Z", "to": "soon"}, "Invalid date format: soon"),
    (
        {"from_": "2026-04-02T00:00:00Z", "to": "2026-04-01T00:00:00Z"},
        "Invalid date range: 'from' date 2026-04-02T00:00:00Z should not be after "
        "'to' date 2026-04-01T00:00:00Z",
    ),
    ({"from_": "2025-04-01T00:00:00Z"}, "Invalid date range: it cannot exceed 365 days"),
    ({"from_": "2026-04-01T00:00:00Z", "pageSize": 101}, "Invalid pageSize: it must be within 1 and 100"),
    ({"from_": "2026-04-01T00:00:00Z", "pageSize": 0}, "Invalid pageSize: it must be within 1 and 100"),
    ({"from_": "2026-04-01T00:00:00Z", "nextPageToken": "%%"}, "Invalid nextPageToken"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "text"), REFUSALS, ids=range(len(REFUSALS)))
def test_bad_requests_are_refused_in_words(shared: Driver, query: dict[str, Any], text: str) -> None:
    answer = shared.get(path_of(shared), **query)
    assert (answer.status_code, answer.json()) == (400, {"error": text})


def test_a_time_before_the_location_existed_names_the_earliest_one(shared: Driver) -> None:
    earliest = [shared.earliest(1, location) for location in shared.locations(1)]
    assert earliest[0] != earliest[1]
    for place, moment in enumerate(earliest):
        assert shared.get(path_of(shared, 1, place), 1, from_=moment).status_code == 200
        just_before = format_instant(parse_instant(moment) - 1)
        answer = shared.get(path_of(shared, 1, place), 1, from_=just_before)
        assert answer.status_code == 400
        assert "not operational on the provided date.\nPlease specify" in answer.json()["error"]


def test_a_strangers_location_is_not_found(shared: Driver) -> None:
    foreign = shared.locations(1)[0]
    for path in (f"/f/v2/business-location/{foreign}/sales", f"/f/finance/{foreign}/tax-rates"):
        answer = shared.get(path, from_="2026-04-01T00:00:00Z")
        body = answer.json()
        assert answer.status_code == body["status"] == 404
        assert body["message"] == f"Business Location Not found for {foreign}"
        assert body["path"] == path


def test_businesses_are_told_on_the_first_page_only(shared: Driver) -> None:
    for account, key in ((0, "blID"), (1, "blId")):
        answer = shared.get("/f/data/businesses", account, page=0, size=10).json()
        (business,) = answer["_embedded"]["businessList"]
        assert str(business["businessId"]) == shared.account_id(account)
        locations = [str(each[key]) for each in business["businessLocations"]]
        assert locations == shared.locations(account)
        empty = shared.get("/f/data/businesses", account, page=1).json()
        assert empty["_embedded"]["businessList"] == []


def test_days_begin_at_an_hour_of_the_shops_own(shared: Driver) -> None:
    expected = {0: "2026-04-02T05:30:00-04:00", 1: "2026-04-02T04:00:00-05:00"}
    for place, text in expected.items():
        answer = shared.get(path_of(shared, 1, place, "sales-daily"), 1, date="2026-04-01").json()
        assert answer["nextStartOfDayAsIso8601"] == text
    # The day on which the clocks change.
    answer = shared.get(path_of(shared, 0, 0, "sales-daily"), date="2026-03-28").json()
    assert answer["nextStartOfDayAsIso8601"] == "2026-03-29T05:30:00+02:00"


def test_days_add_up_to_the_range(shared: Driver) -> None:
    for account in (0, 1):
        whole = {sale["accountFiscId"] for sale in read_range(shared, account)}
        days: Counter[str] = Counter()
        for number in range(1, 62):
            day = f"2026-{3 + (number - 1) // 31:02d}-{(number - 1) % 31 + 1:02d}"
            query = {"date": day, "include": ALL}
            answer = exact(shared.get(path_of(shared, account, 0, "sales-daily"), account, **query))
            days.update(sale["accountFiscId"] for sale in answer.get("sales", []))
        assert set(days) == whole
        assert set(days.values()) == {1}


def test_a_day_needs_a_date(shared: Driver) -> None:
    path = path_of(shared, what="sales-daily")
    assert "parameter 'date'" in shared.get(path).json()["error"]
    assert shared.get(path, date="tomorrow").json() == {"error": "Invalid date format: tomorrow"}


def day_of(driver: Driver, account: int, date: str) -> dict[str, Any]:
    """A business day of the first location."""
    answer: dict[str, Any] = driver.get(path_of(driver, account, 0, "sales-daily"), account, date=date).json()
    return answer


def test_a_day_is_complete_when_it_is_over(fresh: Driver) -> None:
    assert day_of(fresh, 1, "2026-04-01")["dataComplete"] is True
    assert day_of(fresh, 1, "2026-04-12")["dataComplete"] is False
    assert day_of(fresh, 1, "2026-04-20")["dataComplete"] is False


def test_a_day_is_not_complete_while_a_till_is_off_line() -> None:
    world, _ = open_world(Options(scale="small", only="lightspeed"))
    server = world.servers["lightspeed"]
    assert isinstance(server, LightspeedServer)
    for merchant in world.merchants.values():
        streams, book = server.streams[merchant.key], server.books[merchant.key]
        pending = [account for account in book.accounts if account.available_at == NEVER]
        assert pending
        days = [(each.shop, business_date(each.shop, each.closed_at)) for each in pending]
        later = WORLD_END + 3 * DAY
        assert not any(streams.is_complete(shop, day, later) for shop, day in days)
        run_round(book, 1, WORLD_END, WORLD_END + DAY)
        assert all(streams.is_complete(shop, day, later) for shop, day in days)
        assert not any(streams.is_complete(shop, day, day_ends(shop, day) - 1) for shop, day in days)


def test_offline_sales_come_late_with_their_old_time_and_complete_the_day(fresh: Driver) -> None:
    before, now = fresh.sales(0), fresh.now()
    fresh.edit()
    after = fresh.sales(0)
    late = [sale for key, sale in after.items() if key not in before and sale["timeClosed"] < now]
    assert late
    truth = fresh.truth(0)
    for sale in late:
        date = truth[sale["accountReference"]]["business_date"]
        assert sale["accountFiscId"] in {each["accountFiscId"] for each in day_of(fresh, 0, date)["sales"]}


def test_rounds_change_flags_in_place_and_move_what_the_office_cancels() -> None:
    with serving(Options(merchants=2, orders=600)) as driver:
        before, now = driver.sales(0), driver.now()
        (edited,) = [each for each in driver.edit() if each["account_id"] == driver.account_id(0)]
        after = driver.sales(0)
        changed = [(before[key], after[key]) for key in edited["changed"]]
        assert changed
        assert all(new["cancelled"] and not old["cancelled"] for old, new in changed)
        in_place = [new for old, new in changed if new["timeClosed"] == old["timeClosed"]]
        moved = [new for old, new in changed if new["timeClosed"] >= now]
        assert in_place
        assert moved
        assert len(in_place) + len(moved) == len(changed)
        assert set(edited["created"]) == set(after) - set(before)
        untouched = set(before) - set(edited["changed"])
        assert all(before[key] == after[key] for key in untouched)
        older = older_sales(driver, 0)
        assert all(older[sale["accountFiscId"]]["timeofCloseAndPaid"] < now for sale in moved)


def older_sales(driver: Driver, account: int, **parameters: Any) -> dict[str, dict[str, Any]]:
    """Every sale of the first location by the older API, by fiscal id."""
    location = driver.locations(account)[0]
    url = f"/f/finance/{location}/financials/{driver.earliest(account, location)}/{driver.now()}"
    found: dict[str, dict[str, Any]] = {}
    query: dict[str, Any] | None = {"include": "payments", **parameters}
    while url:
        answer = driver.http.get(url, params=query, headers=driver.headers(account)).raise_for_status()
        body = exact(answer)
        for sale in body["sales"]:
            assert sale["accountFiscId"] not in found
            found[sale["accountFiscId"]] = sale
        url, query = body["_links"].get("nextPage", {}).get("href", ""), None
    return found


def test_the_older_api_has_the_same_sales_in_no_order(shared: Driver) -> None:
    for account, closing in ((0, "timeofCloseAndPaid"), (1, "timeOfCloseAndPaid")):
        older = older_sales(shared, account)
        assert set(older) == {sale["accountFiscId"] for sale in read_range(shared, account)}
        times = [sale[closing] for sale in older.values()]
        assert times != sorted(times)
        assert older == older_sales(shared, account, pageSize=7)
        payments = [payment for sale in older.values() for payment in sale["payments"]]
        assert payments
        assert not any("roundingAmount" in payment for payment in payments)


def test_the_older_api_dates_office_work_to_the_original_day(shared: Driver) -> None:
    newer = {sale["accountFiscId"]: sale for sale in read_range(shared)}
    older = older_sales(shared, 0)
    moved = {key for key, sale in newer.items() if sale["timeClosed"] != older[key]["timeofCloseAndPaid"]}
    assert all(older[key]["timeofCloseAndPaid"] < newer[key]["timeClosed"] for key in moved)
    assert any(newer[key]["cancelled"] for key in moved)
    assert any(newer[key]["deviceName"] == "BackOffice" and newer[key]["type"] == "SALE" for key in moved)
    assert {newer[key]["type"] for key in moved} >= {"SALE", "UPDATE"}


def test_a_typed_reason_is_another_one_to_the_older_api(shared: Driver) -> None:
    found = 0
    for account in (0, 1):
        older = older_sales(shared, account)
        for sale in read_range(shared, account):
            pairs = zip(sale["salesLines"], older[sale["accountFiscId"]]["salesLines"], strict=True)
            for newer_line, older_line in pairs:
                if newer_line.get("voidReason") == "Dropped by Kim Example":
                    assert older_line["voidReason"] == "Other"
                    found += 1
                else:
                    assert newer_line.get("voidReason") == older_line.get("voidReason")
    assert found


def test_the_older_day_is_the_one_going_on_unless_asked(shared: Driver) -> None:
    path = f"/f/finance/{shared.locations()[0]}/dailyFinancials"
    assert shared.get(path).json()["nextStartOfDayAsIso8601"] == "2026-04-13T05:30:00+02:00"
    asked = shared.get(path, date="2026-04-01", includeConsumers="true", include="payments").json()
    assert asked["nextStartOfDayAsIso8601"] == "2026-04-02T05:30:00+02:00"
    assert asked["businessLocationId"] == int(shared.locations()[0])
    assert asked["dataComplete"] is True


def test_a_sale_is_found_by_its_external_reference(shared: Driver) -> None:
    online = [sale for sale in shared.sales(1).values() if sale["externalReferences"]]
    assert online
    for sale in online:
        reference = sale["externalReferences"][0]
        path = f"/f/finance/{reference.split('-')[1]}/saleByExternalReference"
        found = shared.get(path, 1, externalReferenceId=reference).json()
        assert found["accountFiscId"] == sale["accountFiscId"]
        assert shared.get(path, 1, externalReferenceId=f"{reference}-none").status_code == 404


def test_what_is_sold_on_demand_was_closed_seconds_ago(fresh: Driver) -> None:
    known = set(fresh.sales(1))
    created = fresh.control("sell", {"merchant_id": fresh.account_id(1), "count": 9})["created"]
    found = fresh.sales(1)
    assert set(found) - known == set(created)
    assert {found[key]["timeClosed"] for key in created} == {time_text(WORLD_END - 12 * SECOND)}
