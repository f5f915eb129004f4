"""Everything that can go wrong on a vendor's side, at once: the rows are as sold, and nothing else is."""

from collections.abc import Iterator

import pytest
import stamina

from benchmarks.faults import weather
from benchmarks.shops import Shops, environment, settings_of
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.conftest import Project

ORDERS = 300
# Pages so small that much can shift while they are read; the vendors' own sizes would take many more orders.
SMALL_PAGES: dict[str, dict[str, object]] = {
    "square": {},
    "toast": {"_ORDERS_PER_PAGE": 20, "_ORDER_PAGES_PER_SECOND": 50},
    "lightspeed": {"_SALES_PER_PAGE": "40", "_CONTROLS_PER_PAGE": "40"},
}

STRIKE_EVERYWHERE = {"status", "reset", "truncate", "shift", "skew"}  # not everyone's pages have cursors


@pytest.fixture(autouse=True)
def _retries_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=6, cap=True):
        yield


@pytest.mark.parametrize("pos_system", sorted(SMALL_PAGES))
def test_rows_are_as_sold_whatever_goes_wrong(
    project: Project, monkeypatch: pytest.MonkeyPatch, pos_system: str
) -> None:
    for name, size in SMALL_PAGES[pos_system].items():
        monkeypatch.setattr(f"pipelines.{pos_system}.source.{name}", size)
    with (
        in_thread(Options(scale="small", merchants=1, orders=ORDERS, only=pos_system)) as url,
        environment(settings_of(url)),
    ):
        shops = Shops(project.engine, url)
        shops.connect()
        wrong, struck = weather(shops, project.context, project.home / "dbt")
    assert wrong == []
    assert {kind for kind, times in struck.items() if times} >= STRIKE_EVERYWHERE
    assert project.value("select sum(retries) from pos_sync_logs") > 0
    assert shops.claims > 0
