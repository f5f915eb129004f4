"""The sandbox's time: texts, steps, and the header that clients take their horizon from."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from sandbox.clock import WORLD_END, Clock, format_instant, parse_instant
from sandbox.engine import Options
from sandbox.square.driver import Driver, serving


@pytest.mark.parametrize(
    ("instant", "full", "trimmed"),
    [
        (1_776_016_800_000, "2026-04-12T18:00:00.000Z", "2026-04-12T18:00:00Z"),
        (1_776_016_800_720, "2026-04-12T18:00:00.720Z", "2026-04-12T18:00:00.72Z"),
        (1_776_016_800_007, "2026-04-12T18:00:00.007Z", "2026-04-12T18:00:00.007Z"),
    ],
)
def test_instants_are_written_and_read(instant: int, full: str, trimmed: str) -> None:
    assert format_instant(instant) == full
    assert format_instant(instant, is_trimmed=True) == trimmed
    assert parse_instant(full) == parse_instant(trimmed) == instant


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        parse_instant("2026-04-12T18:00:00")


def test_a_fixed_clock_stands_still_until_it_is_advanced(fresh: Driver) -> None:
    assert fresh.now() == "2026-04-12T18:00:00.000Z"
    assert fresh.control("clock", {"advance_seconds": 90.5})["now"] == "2026-04-12T18:01:30.500Z"
    refused = fresh.http.post("/_sandbox/clock", json={"advance_seconds": -1})
    assert refused.status_code == 400


def test_every_answer_is_dated_by_the_sandbox_clock(fresh: Driver) -> None:
    fresh.control("clock", {"advance_seconds": 3600})
    answers = [
        fresh.get("/v2/locations"),
        fresh.http.get("/v2/locations"),
        fresh.http.get("/_sandbox/clock"),
    ]
    for answer in answers:
        assert answer.headers.get_list("date") == ["Sun, 12 Apr 2026 19:00:00 GMT"]


def test_a_ticking_clock_goes_on_where_real_time_is(tmp_path: Path) -> None:
    clock = Clock(is_ticking=True, anchor_seconds=time.time() - 100)
    assert clock.now() >= WORLD_END + 100_000
    with serving(Options(scale="small"), tmp_path, is_ticking=True) as driver:
        first = parse_instant(driver.now())
    with serving(Options(scale="small"), tmp_path, is_ticking=True) as driver:
        dated = parsedate_to_datetime(driver.get("/v2/locations").headers["date"])
        assert parse_instant(driver.now()) > first >= WORLD_END
        assert int(dated.timestamp()) * 1_000 >= WORLD_END
