"""The bakery chains that sell with Toast: the United States alone, several restaurants, two time zones."""

from __future__ import annotations

from sandbox.world import UNITED_STATES, Chain

_EAST, _CENTRAL = "America/New_York", "America/Chicago"

_TOWNS = (
    ("Dock Street", _EAST),
    ("Copper Lane", _CENTRAL),
    ("Linden Green", _EAST),
    ("Stone Arch", _CENTRAL),
    ("Ferry Landing", _EAST),
    ("Quarry Hill", _CENTRAL),
    ("Weaver's Row", _EAST),
    ("North Silo", _CENTRAL),
)

CHAINS: dict[str, tuple[Chain, ...]] = {
    "demo": (
        ("Copper Kettle Bakers", UNITED_STATES, _TOWNS[:4]),
        ("Saltmarsh Pastry", UNITED_STATES, (("Tidewater", _EAST), ("Bluff Market", _CENTRAL))),
    ),
    "small": (
        ("Tin Whistle Bakery", UNITED_STATES, _TOWNS[4:6]),
        ("Maple & Rye", UNITED_STATES, (("Orchard Gate", _CENTRAL),)),
    ),
    "many": (
        ("Corner Crust", UNITED_STATES, _TOWNS[:1]),
        ("Morning Bell", UNITED_STATES, _TOWNS[1:2]),
    ),
    "one": (("Granary Union", UNITED_STATES, _TOWNS),),
}
