"""Syncs and drains killed at every commit and at random: nothing lost, doubled or wrongly said to be read."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.dying import Mortals, Order, mortals
from benchmarks.machine import Figure, Measured
from benchmarks.serving import in_thread
from benchmarks.shops import Shops, environment, own_database, settings_of
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.settings import get_settings
from sandbox.hosting import in_process
from webhook_api.main import create_app

WORKS = ("sync", "drain")
EVERYWHERE = ("pipelines/", "dlt")  # what the locks' own connections commit holds nothing
_SEED = 11


@dataclass
class Crashes:
    """What was killed, at which commits, and what was wrong afterwards, a line each."""

    kills: int = 0
    points: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def end(self, shops: Shops, dying: Mortals) -> None:
        """One of each that nobody disturbs, and then everything is compared."""
        shops.forgive_events()
        for work in reversed(WORKS):
            ended = dying.run(order_of(shops, work))
            if ended.code:
                self.wrong.append(f"an undisturbed {work} ended with {ended.code}")
        self.wrong += [*shops.unread(), *shops.repeated(), *shops.differences()]


def kill_at_commits(
    shops: Shops, dying: Mortals, work: str, is_thorough: bool, places: tuple[str, ...] = EVERYWHERE
) -> Crashes:
    """Kills a sync or a drain at each of its commits; in between the shops sell, and nobody mends anything.

    Args:
        places: how the names of those commits begin.
        is_thorough: each time that it comes to a place, before and after; else the first time, before: what
            comes after one commit comes before the next.
    """
    found = Crashes()
    shops.trade()
    undisturbed = dying.run(order_of(shops, work))
    for point, number in undisturbed.points:
        if not point.startswith(places) or (number > 1 and not is_thorough):
            continue
        for is_after in (False, True) if is_thorough else (False,):
            order = order_of(shops, work, point=point, number=number, is_after=is_after)
            if _kill(shops, dying, order, found):
                found.points.add(point)
    return found


def kill_at_random(shops: Shops, dying: Mortals, kills: int, seed: int = _SEED) -> Crashes:
    """Kills syncs and drains after any time, so many of them."""
    found, chance = Crashes(), random.Random(seed)
    seconds = {}
    for work in WORKS:
        shops.trade()
        started = time.monotonic()
        dying.run(order_of(shops, work))
        seconds[work] = time.monotonic() - started
    while found.kills < kills:
        work = chance.choice(WORKS)
        after = chance.uniform(0, seconds[work])
        _kill(shops, dying, order_of(shops, work, after_seconds=after), found)
    return found


def measure_crashes(kills: int) -> list[Measured]:
    """Kills at every commit, before and after, and then at random until there are `kills` in all."""
    # That nobody launches a run is meant here.
    logging.getLogger("webhook_api.services.runs").setLevel(logging.ERROR)
    with (
        own_database(),
        in_process("--scale", "small") as url,
        _told(url) as service,
        environment(settings_of(url, service)),
    ):
        shops = Shops(get_engine(), url, service)
        shops.connect()
        with mortals() as dying:
            started = time.monotonic()
            parts = [kill_at_commits(shops, dying, work, is_thorough=True) for work in WORKS]
            aimed = sum(each.kills for each in parts)
            parts.append(kill_at_random(shops, dying, max(0, kills - aimed)))
            parts[-1].end(shops, dying)
            wall_seconds = time.monotonic() - started
    wrong = [line for each in parts for line in each.wrong]
    for line in wrong[:10]:
        print(line)
    places = len({point for each in parts for point in each.points})
    killed = sum(each.kills for each in parts)
    title = f"killed, {aimed} times at {places} commits"
    mismatches = Figure("mismatches", len(wrong), below=1)
    return [Measured(title, killed, "kills", wall_seconds, figures=[mismatches])]


@contextmanager
def _told(url: str) -> Iterator[str]:
    """The service, once there are the tables that it needs."""
    with environment(settings_of(url)):
        initialise()
    with in_thread(create_app()) as service:
        yield service


def _kill(shops: Shops, dying: Mortals, order: Order, found: Crashes) -> bool:
    """Whether it was killed and did not come to its end before."""
    shops.trade()
    ended = dying.run(order)
    shops.settle()
    found.kills += ended.was_killed
    if ended.code and not ended.was_killed:
        found.wrong.append(f"{order} ended with {ended.code}")
    found.wrong += shops.unread()
    return ended.was_killed


def order_of(shops: Shops, work: str, **when: Any) -> Order:
    """A sync of all the shops, or a drain, for a process with the same database and the same sandbox."""
    database = shops.engine.url.render_as_string(hide_password=False)
    home = str(get_settings().home_path)
    variables = {"POS_HOME": home, "POS_DATABASE_URL": database, **settings_of(shops.url, shops.service)}
    return Order(work, [str(each) for each in shops.ids], environment=variables, **when)
