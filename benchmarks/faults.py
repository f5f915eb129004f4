"""Syncs through everything that can go wrong on a vendor's side, all of it at once: the rows are as sold."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import Figure, Measured, measured
from benchmarks.shops import Shops, environment, own_database, settings_of
from pipelines.normalise import normalise
from pipelines.sync import Context, Report, sync
from pos_cli.sandbox import control
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.settings import get_settings
from pos_core.vault import load_vault
from sandbox.hosting import in_process

_SKEW_SECONDS = 300
SKEWS = ((-_SKEW_SECONDS, 1.0), (_SKEW_SECONDS, 1.0), (-_SKEW_SECONDS, 0.5), (_SKEW_SECONDS, 0.5))
"""How far the vendors' clocks are ahead, and in which share of the answers: a vendor has many machines.

Behind at first, when all there is is read: what changes meanwhile leaves a window only if that ends earlier.
"""
_STORM = (
    {"kind": "status", "status": 429, "rate": 0.2, "retry_after": 0},
    {"kind": "status", "status": 503, "rate": 0.1, "retry_after": 0},
    {"kind": "reset", "rate": 0.08},
    {"kind": "truncate", "rate": 0.05},
    {"kind": "expire_cursors", "rate": 0.3},
    {"kind": "shift", "rate": 0.4},
)


@contextmanager
def storm(url: str, skew_seconds: int, skew_rate: float) -> Iterator[None]:
    """Has a sandbox misbehave while the block runs: refusals, cut answers, shifting pages, a wrong clock."""
    for order in (*_STORM, {"kind": "skew", "seconds": skew_seconds, "rate": skew_rate}):
        control(url, "POST", "faults", dict(order))
    try:
        yield
    finally:
        control(url, "DELETE", "faults")


def weather(shops: Shops, context: Context, dbt_folder: Path) -> tuple[list[str], Counter[str]]:
    """Syncs through storms, the shops selling in between, and once in calm.

    Returns:
        What is wrong, a line each; and how often each kind of fault has struck.
    """
    wrong: list[str] = []
    struck: Counter[str] = Counter()
    for skew_seconds, skew_rate in SKEWS:
        shops.trade()
        with storm(shops.url, skew_seconds, skew_rate):
            sync(context, shops.ids)
            for each in control(shops.url, "GET", "faults"):
                struck[each["kind"]] += each["happened"]
        wrong += shops.unread()
    shops.trade()
    report = sync(context, shops.ids)
    normalise(context.engine, context.address, dbt_folder)
    wrong += _failed(report) + shops.unread() + shops.repeated() + shops.differences()
    return wrong, struck


def _failed(report: Report) -> list[str]:
    return [f"{each.configuration.name}: {each.error}" for each in report.failed]


def measure_faults(orders: int) -> list[Measured]:
    """Storms over one account per POS with `orders` orders each."""
    with (
        own_database() as home,
        in_process("--scale", "small", "--merchants", "1", "--orders", str(orders)) as url,
        environment(settings_of(url)),
    ):
        ready = initialise()
        shops = Shops(get_engine(), url)
        shops.connect()
        context = Context(get_engine(), ready.address, load_vault(get_settings()), home / "work")
        with measured("", orders * len(shops.ids), "orders", home / "postgres") as result:
            wrong, struck = weather(shops, context, home / "dbt")
    for line in wrong[:10]:
        print(line)
    result.title = f"{len(SKEWS)} syncs through {struck.total():,} faults"
    result.figures.append(Figure("mismatches", len(wrong), below=1))
    return [result]
