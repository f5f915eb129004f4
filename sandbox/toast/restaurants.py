"""Restaurants: their configuration, their group, and which of them a partner may read.

Source: Toast restaurants API 1.0.0, partners API 1.0.1.
"""

from __future__ import annotations

from sandbox.clock import DAY, WORLD_END, format_instant
from sandbox.toast.names import Json, closeout_hour, day_number, group_guid, guid, restaurant_guid
from sandbox.world import Merchant, Shop

_CREATED_AT = WORLD_END - 400 * DAY
_HOURS = {"startTime": "07:00:00.000", "endTime": "22:00:00.000"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def restaurant(merchant: Merchant, shop: Shop) -> Json:
    """One restaurant; zone, closeout hour and currency are told nowhere else."""
    market = merchant.market
    service = {"name": "All Day", "hours": _HOURS, "overnight": False}
    return {
        "guid": restaurant_guid(merchant, shop),
        "general": {
            "name": merchant.name,
            "locationName": shop.name,
            "locationCode": str(merchant.shops.index(shop) + 1),
            "timeZone": shop.zone.key,
            "closeoutHour": closeout_hour(merchant, shop),
            "managementGroupGuid": group_guid(merchant),
            "currencyCode": market.currency,
            "firstBusinessDate": day_number(merchant.first_day.replace(day=1)),
            "archived": not shop.is_active,
        },
        "urls": {"website": "https://bakery.example.com"},
        "location": {
            "address1": f"1 {shop.locality} Road",
            "city": shop.locality,
            "stateCode": "NY",
            "administrativeArea": "NY",
            "zipCode": "00000",
            "country": market.country,
            "phone": "2025550100",
            "phoneCountryCode": "1",
        },
        "schedules": {
            "daySchedules": {
                "1": {
                    "scheduleName": "Every Day",
                    "services": [service],
                    "openTime": _HOURS["startTime"],
                    "closeTime": _HOURS["endTime"],
                }
            },
            "weekSchedule": dict.fromkeys(_DAYS, "1"),
        },
        "delivery": {"enabled": False},
        "onlineOrdering": {"enabled": True, "scheduling": True, "specialRequests": True},
        "prepTimes": {"takeoutPrepTime": 15, "deliveryPrepTime": 30},
    }


def group(merchant: Merchant) -> list[Json]:
    """The restaurants of a management group, by identifier alone."""
    return [{"guid": restaurant_guid(merchant, shop)} for shop in merchant.shops]


def connections(merchant: Merchant) -> list[Json]:
    """What a partner may read, and a restaurant that took its permission back."""
    found = [
        _connection(merchant, restaurant_guid(merchant, shop), shop.name, is_deleted=False)
        for shop in merchant.shops
    ]
    gone = guid(merchant, "disconnected-restaurant")
    return [*found, _connection(merchant, gone, "Moved Away", is_deleted=True)]


def _connection(merchant: Merchant, name: str, place: str, *, is_deleted: bool) -> Json:
    return {
        "restaurantGuid": name,
        "managementGroupGuid": group_guid(merchant),
        "restaurantName": merchant.name,
        "locationName": place,
        "deleted": is_deleted,
        "createdByEmailAddress": "office@example.com",
        "createdDate": _CREATED_AT,
        "modifiedDate": _CREATED_AT,
        "isoCreatedDate": format_instant(_CREATED_AT),
        "isoModifiedDate": format_instant(_CREATED_AT),
    }
