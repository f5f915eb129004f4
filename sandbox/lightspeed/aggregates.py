"""Control totals: what counts as revenue, added up by who, where or what.

Source: K-Series Financial API V1 (OpenAPI 1.0.0, read in 2026-11), aggregatedSales.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.lightspeed import staff
from sandbox.lightspeed.accounts import Account, Line
from sandbox.lightspeed.errors import plain
from sandbox.lightspeed.names import PER_MINOR, Json, device_name, minor_text
from sandbox.pricing import divide_half_even

Pair = tuple[Account, Line]
_VALUES: dict[str, Callable[[Pair], str]] = {
    "staff": lambda pair: staff.staff_member(pair[0].merchant, pair[0].shop, pair[0].number)[1],
    "device": lambda pair: device_name(pair[0].place),
    "deviceId": lambda pair: str(pair[0].device),
    "tag": lambda pair: "fresh" if pair[1].number % 2 else "",
    "accountingGroup": lambda pair: pair[1].category,
    "statisticGroup": lambda pair: "Bakery",
}


@dataclass(frozen=True, slots=True)
class Grouping:
    """By what totals are nested, outermost first."""

    keys: tuple[str, ...]


def read_grouping(text: str) -> Grouping:
    """Reads ``groupBy``.

    Raises:
        VendorError: it is missing, or names something unknown.
    """
    keys = tuple(word.strip() for word in text.split(",") if word.strip())
    if not keys or not set(keys) <= set(_VALUES):
        raise plain(f"Invalid groupBy: allowed are {', '.join(_VALUES)}")
    return Grouping(keys)


def aggregated(accounts: Sequence[Account], grouping: Grouping) -> Json:
    """Totals of some accounts, nested; at the top sales are counted by line, below by account."""
    pairs = [(account, line) for account in accounts for line in account.body.lines]
    totals = _totals(pairs)
    totals["numberOfSales"] = len(pairs)
    return {"groupByKey": grouping.keys[0], **totals, "children": _children(pairs, grouping.keys)}


def _children(pairs: Sequence[Pair], keys: tuple[str, ...]) -> list[Json]:
    if not keys:
        return []
    value_of = _VALUES[keys[0]]
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(value_of(pair), []).append(pair)
    children = [
        {"groupByValue": value, **_totals(group), "children": _children(group, keys[1:])}
        for value, group in sorted(groups.items())
    ]
    return [{"groupByKey": keys[0], "children": children}]


def _totals(pairs: Sequence[Pair]) -> Json:
    return {
        "totalAmount": _cents(sum(line.total_micro for _, line in pairs)),
        "serviceCharge": _cents(sum(line.charge_micro for _, line in pairs)),
        "totalDiscountedAmount": minor_text(sum(line.discount_minor for _, line in pairs)),
        "totalTaxAmount": _cents(sum(line.tax_micro for _, line in pairs)),
        "numberOfSales": len({account.number for account, _ in pairs}),
    }


def _cents(micro: int) -> str:
    return minor_text(divide_half_even(micro, PER_MINOR))
