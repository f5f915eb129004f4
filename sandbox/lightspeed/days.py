"""Business days: they begin at an hour of the shop's own, not at midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sandbox.clock import Instant, instant_of, moment_of
from sandbox.lightspeed.chains import day_start_minutes
from sandbox.world import Shop

_DAY = timedelta(days=1)


def business_date(shop: Shop, instant: Instant) -> date:
    """The business day that an instant belongs to."""
    local = moment_of(instant).astimezone(shop.zone).replace(tzinfo=None)
    return (local - timedelta(minutes=day_start_minutes(shop))).date()


def _start(shop: Shop, day: date) -> datetime:
    hour, minute = divmod(day_start_minutes(shop), 60)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=shop.zone)


def day_begins(shop: Shop, day: date) -> Instant:
    """When a business day begins."""
    return instant_of(_start(shop, day))


def day_ends(shop: Shop, day: date) -> Instant:
    """When the next business day begins."""
    return day_begins(shop, day + _DAY)


def next_start_text(shop: Shop, day: date) -> str:
    """When the next business day begins, in local time with its offset."""
    return _start(shop, day + _DAY).isoformat()
