"""What is read from Lightspeed and in which windows."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipelines.connector import Page, WindowRead
from pipelines.windows import Interval
from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import connect_accounts, control, sandbox_environment
from pos_core.errors import VendorError, VendorRequestError
from pos_core.repositories.configurations import Configuration
from sandbox.engine import Options
from sandbox.lightspeed.driver import Driver, serving
from tests.conftest import Project
from tests.pipelines.lightspeed.conftest import NOW, OddServer, Reader
from tests.pipelines.lightspeed.test_lightspeed_client import CREDENTIALS, ReaderOf

LOCATION = "31"
SALES = f"/f/v2/business-location/{LOCATION}/sales"
Covered = dict[tuple[str, str], list[Interval]]


def _documents(events: list[Page | WindowRead], stream: str) -> list[dict[str, Any]]:
    return [
        dict(document)
        for event in events
        if isinstance(event, Page) and event.stream == stream
        for document in event.documents
    ]


def _windows(events: list[Page | WindowRead], stream: str) -> list[Interval]:
    return [
        (event.window_from, event.window_to)
        for event in events
        if isinstance(event, WindowRead) and event.stream == stream
    ]


def _days_of(events: list[Page | WindowRead], stream: str) -> list[date]:
    return [start.date() for start, _ in _windows(events, stream)]


@pytest.fixture
def vendor(odd_server: OddServer, reader_of: ReaderOf) -> "Vendor":
    """A vendor with one location in Brussels."""
    return Vendor(odd_server, reader_of(odd_server.url, dict(CREDENTIALS), "7"))


class Vendor:
    """Answers with the accounts and days that a test gives it."""

    def __init__(self, odd: OddServer, reader: Reader) -> None:
        self.odd = odd
        self.reader = reader
        self.incomplete: set[str] = set()
        self.sales: Callable[[dict[str, str]], tuple[int, Any]] = lambda _given: (200, {"sales": []})
        location = {"blID": 31, "blName": "Corner", "country": "BE", "timezone": "Europe/Brussels"}
        business = {"businessId": 7, "currencyCode": "EUR", "businessLocations": [location]}
        odd.answers = {
            "/f/data/businesses": lambda _given: (200, {"_embedded": {"businessList": [business]}}),
            f"{SALES}-daily": self._day,
            SALES: lambda given: self.sales(given),
            f"/f/finance/{LOCATION}/financials/": lambda _given: (200, {"sales": []}),
        }

    def _day(self, given: dict[str, str]) -> tuple[int, Any]:
        sale = {"accountFiscId": f"A{given['date']}"}
        return 200, {"sales": [sale], "dataComplete": given["date"] not in self.incomplete}

    def asked(self, path: str) -> list[dict[str, str]]:
        """The parameters that a path was asked with."""
        return [given for asked, given in self.odd.asked if asked == path]


def test_the_first_reading_skips_what_was_before_the_location(vendor: Vendor) -> None:
    """Trap: a `from` before the location existed is refused; the refusal names the beginning, «after» it."""
    opening = NOW - timedelta(days=100)

    def sales(given: dict[str, str]) -> tuple[int, Any]:
        if datetime.fromisoformat(given["from"]) <= opening:
            text = opening.isoformat().replace("+00:00", "Z")
            words = f"not operational on the provided date.\nSpecify a date and time after: {text}, which is"
            return 400, {"error": words}
        return 200, {"sales": []}

    vendor.sales = sales
    events = vendor.reader.read("2018-01-01")
    windows = _windows(events, "sales")
    assert windows[0][0] == datetime(2018, 1, 1, tzinfo=UTC)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(windows))
    asked = [datetime.fromisoformat(given["from"]) for given in vendor.asked(SALES)]
    assert asked[1] == opening
    assert asked[2] == opening + timedelta(seconds=1)
    assert len(asked) < 10
    assert _windows(events, "financials_v1")[-1][1] == windows[-1][1]
    controls = [path for path, _ in vendor.odd.asked if "financials" in path]
    assert len(controls) < 6


def _two_pages(end: dict[str, Any]) -> Callable[[dict[str, str]], tuple[int, Any]]:
    """Each page has an account named by the token it was asked with; the second one ends with `end`."""

    def sales(given: dict[str, str]) -> tuple[int, Any]:
        token = given.get("nextPageToken")
        return 200, {
            "sales": [{"accountFiscId": token or "first"}],
            **(end if token else {"nextPageToken": "a+b/c=="}),
        }

    return sales


def test_pages_keep_their_range_and_follow_the_token_as_it_is(vendor: Vendor) -> None:
    """Trap: the token is opaque; it ends absent, null or empty; nothing else of the request changes."""
    for end in ({}, {"nextPageToken": None}, {"nextPageToken": ""}):
        vendor.odd.asked.clear()
        vendor.sales = _two_pages(dict(end))
        events = vendor.reader.read(f"{NOW - timedelta(days=20):%Y-%m-%d}")
        first, second = vendor.asked(SALES)[:2]
        assert second == first | {"nextPageToken": "a+b/c=="}
        assert first["include"] == "payments,revenue_center"
        assert first["pageSize"] == "100"
        read = [each for each in _documents(events, "sales") if not each["accountFiscId"].startswith("A")]
        assert [each["accountFiscId"] for each in read] == ["first", "a+b/c=="]
        assert all(each["businessLocationId"] == LOCATION for each in read)


def test_an_account_at_the_edge_of_a_page_is_not_lost(vendor: Vendor) -> None:
    """Trap: the token is a bare time; of two accounts closed in one millisecond the second may be skipped."""
    at = (NOW - timedelta(days=3)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def sales(given: dict[str, str]) -> tuple[int, Any]:
        if "nextPageToken" in given:
            return 200, {"sales": []}
        span = datetime.fromisoformat(given["to"]) - datetime.fromisoformat(given["from"])
        both = [{"accountFiscId": "first", "timeClosed": at}, {"accountFiscId": "twin", "timeClosed": at}]
        return (200, {"sales": both}) if span < timedelta(minutes=1) else (
            200, {"sales": both[:1], "nextPageToken": "after"},
        )  # fmt: skip

    vendor.sales = sales
    events = vendor.reader.read(f"{NOW - timedelta(days=20):%Y-%m-%d}")
    assert {"first", "twin"} <= {each["accountFiscId"] for each in _documents(events, "sales")}


def test_a_page_that_names_itself_as_the_next_ends_the_reading_with_an_error(vendor: Vendor) -> None:
    vendor.sales = lambda _given: (200, {"sales": [], "nextPageToken": "again"})
    with pytest.raises(VendorError, match="names itself"):
        vendor.reader.read()


def test_the_older_interface_pages_by_its_link_or_its_token(vendor: Vendor) -> None:
    """Trap: V1 names the next page in a link, live answers also in the body."""
    following: dict[str | None, dict[str, Any]] = {
        None: {"_links": {"nextPage": {"href": "https://api.example/f/x?pageSize=1&nextPageToken=A65.18"}}},
        "A65.18": {"nextPageToken": "A65.19"},
        "A65.19": {"_links": {"nextPage": {"href": ""}}},
    }
    vendor.odd.answers[f"/f/finance/{LOCATION}/financials/"] = lambda given: (
        200,
        {"sales": [{"accountFiscId": f"V{given.get('nextPageToken')}"}]}
        | following[given.get("nextPageToken")],
    )
    events = vendor.reader.read(f"{NOW - timedelta(days=20):%Y-%m-%d}")
    read = [each["accountFiscId"] for each in _documents(events, "financials_v1")]
    assert read == ["VNone", "VA65.18", "VA65.19"]


def test_a_business_day_is_read_until_it_is_complete_and_once_more_a_day_later(vendor: Vendor) -> None:
    """Trap: a day is final only when Lightspeed says so; tills that were offline hand in their sales late."""
    history = f"{NOW - timedelta(days=20):%Y-%m-%d}"
    all_days = _documents(vendor.reader.read(history), "days")
    assert len(all_days) == 7
    newest, older = all_days[-1]["date"], all_days[2]["date"]
    vendor.incomplete = {older}
    events = vendor.reader.read(history)
    assert older not in {f"{each}" for each in _days_of(events, "days")}
    assert newest in {f"{each}" for each in _days_of(events, "days")}
    assert newest not in {f"{each}" for each in _days_of(events, "days_again")}
    sales = [each for each in _documents(events, "sales") if each["accountFiscId"] == f"A{newest}"]
    assert sales == [{"accountFiscId": f"A{newest}", "businessLocationId": LOCATION}]

    covered: Covered = {
        (stream, LOCATION): _windows(events, stream)
        for stream in ("days", "days_again", "sales", "sales_again")
    }
    vendor.incomplete = set()
    vendor.odd.asked.clear()
    events = vendor.reader.read(history, covered)
    assert [given["date"] for given in vendor.asked(f"{SALES}-daily")] == [older]

    yesterdays = covered[("days_again", LOCATION)]
    covered[("days", LOCATION)] += _windows(events, "days")
    covered[("days_again", LOCATION)] = yesterdays[:-1] + _windows(events, "days_again")
    vendor.odd.asked.clear()
    vendor.reader.read(history, covered)
    assert [given["date"] for given in vendor.asked(f"{SALES}-daily")] == [f"{yesterdays[-1][0]:%Y-%m-%d}"]


def test_the_last_weeks_are_read_again_once_a_week(vendor: Vendor) -> None:
    """What came later than any overlap is found; the first reading needs no second one."""
    history = f"{NOW - timedelta(days=20):%Y-%m-%d}"
    events = vendor.reader.read(history)
    covered: Covered = {
        (stream, LOCATION): _windows(events, stream)
        for stream in ("days", "days_again", "sales", "financials_v1")
    }
    assert len(_windows(events, "sales_again")) == 1
    for again, expected in (([], 2), (_windows(events, "sales_again"), 1)):
        vendor.odd.asked.clear()
        vendor.reader.read(history, covered | {("sales_again", LOCATION): again})
        asked = [datetime.fromisoformat(given["from"]) for given in vendor.asked(SALES)]
        assert len(asked) == expected
        assert NOW - asked[0] < timedelta(days=2, hours=1)
        if expected == 2:
            assert timedelta(days=35) < NOW - asked[1] < timedelta(days=35, hours=1)


def test_a_business_that_is_no_longer_shown_is_an_error(vendor: Vendor) -> None:
    vendor.odd.answers["/f/data/businesses"] = lambda _given: (200, {})
    with pytest.raises(VendorRequestError, match="no longer shows business 7"):
        vendor.reader.read()


def test_a_till_that_was_offline_is_found_by_its_business_day(
    project: Project, bakery: Driver, bakeries: list[Configuration]
) -> None:
    """Trap: its sales arrive with the time they were made, in a day that was not complete until then."""
    project.sync(*bakeries)
    unfinished = project.rows(
        "select external_id from raw_lightspeed.days where payload ->> 'dataComplete' = 'false'"
    )
    assert unfinished
    bakery.control("edits", {"round": 1})
    project.sync(*bakeries)
    finished = project.rows(
        "select external_id from raw_lightspeed.days where payload ->> 'dataComplete' = 'true'"
    )
    assert {row["external_id"] for row in unfinished} <= {row["external_id"] for row in finished}


def test_many_pages_of_a_large_bakery_tie_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several hundred accounts, more than a page in a location, some closed in one and the same instant."""
    with serving(Options(scale="large", merchants=1, orders=900)) as bakery:
        for name, value in sandbox_environment(bakery.url).items():
            monkeypatch.setenv(name, value)
        configurations = [each for _, each in connect_accounts(bakery.url)]
        report = project.sync(*configurations)
        project.normalise()
        assert [each.error for each in report.outcomes] == [None]
        assert compare(project.engine, control(bakery.url, "GET", "truth")) == []
