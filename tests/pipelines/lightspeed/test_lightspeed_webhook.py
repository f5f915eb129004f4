"""Lightspeed's notifications: who sends them, and when they wake a read."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.lightspeed import settings
from pipelines.lightspeed.webhook import WEBHOOK
from pipelines.webhook import Delivery, Meaning
from pos_core.errors import CredentialsError
from pos_core.settings import PROJECT_ROOT
from tests.pipelines.deliveries import BODIES, SECRETS, genuine, saying

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", PROJECT_ROOT.parent / "shared"))
EXAMPLE = REFERENCE / "vendor_payloads" / "lightspeed" / "rtn_update_closed_cafe_cash_sale.json"


@pytest.mark.parametrize(
    ("content", "meaning"),
    [
        ({"notificationType": "CLOSE", "account": {"status": "closed"}}, Meaning.PULL),
        ({"notificationType": "UPDATE", "account": {"status": "closed"}}, Meaning.PULL),
        ({"notificationType": "UPDATE", "account": {"status": "open"}}, Meaning.NOTHING),
        ({"notificationType": "OPEN", "account": {"status": "open"}}, Meaning.NOTHING),
        ({"notificationType": "OPEN"}, Meaning.NOTHING),
        ({"notificationType": "CLOSE"}, Meaning.PULL),
        ({"type": "ORDER", "status": "SUCCESS"}, Meaning.PULL),
        ({"type": "PAYMENT", "status": "FAILURE"}, Meaning.PULL),
        ({"status": "FAILURE", "reason": "oven"}, Meaning.NOTHING),
        ({}, Meaning.NOTHING),
    ],
)
def test_what_is_closed_wakes_a_read(content: dict[str, Any], meaning: Meaning) -> None:
    found = WEBHOOK.read(saying("lightspeed", {**content, "businessLocationId": 7}))
    assert (found.meaning, found.location_ids) == (meaning, ("7",))


def test_the_location_may_be_said_by_the_account() -> None:
    found = WEBHOOK.read(saying("lightspeed", {"account": {"businessLocationId": "8"}}))
    assert found.location_ids == ("8",)


def test_a_repetition_is_known_by_its_key_else_by_its_body() -> None:
    content = {"notificationType": "CLOSE"}
    keyed = saying("lightspeed", content, **{"x-lightspeed-idempotency-key": "k-1"})
    assert WEBHOOK.read(keyed).event_id == "k-1"
    ids = [
        WEBHOOK.read(saying("lightspeed", {**content, "retryCounter": each})).event_id for each in (0, 0, 1)
    ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("milliseconds", [None, True, "1776016800250", 10**30, -(10**30)])
def test_a_time_that_is_none_is_left_out(milliseconds: Any) -> None:
    content = {"notificationType": "CLOSE", "account": {"updateDate": milliseconds}}
    assert WEBHOOK.read(saying("lightspeed", content)).sent_at is None


def test_the_name_of_the_scheme_may_be_written_in_any_case() -> None:
    _, _, words = genuine("lightspeed").headers["authorization"].partition(" ")
    for scheme in ("Basic", "basic", "BASIC"):
        delivery = Delivery(b"{}", {"authorization": f"{scheme} {words}"})
        assert WEBHOOK.verify(delivery, [SECRETS["lightspeed"]])
    assert not WEBHOOK.verify(Delivery(b"{}", {"authorization": f"Bearer {words}"}), [SECRETS["lightspeed"]])


def test_only_ids_types_and_times_are_kept() -> None:
    assert json.loads(WEBHOOK.keep(genuine("lightspeed"))) == {
        "notificationType": "CLOSE",
        "retryCounter": 0,
        "businessLocationId": 45454565682155,
        "account": {"accountNumber": "A1.7", "status": "closed", "updateDate": 1776016800250},
    }
    assert b"Canary" in BODIES["lightspeed"]


def test_the_secret_is_user_and_password() -> None:
    given = {
        "client_id": "devp-v2-1",
        "client_secret": "s",
        "access_token": "a",
        "refresh_token": "r",
        "generation": "V2",
        "webhook_secret": ["till:new", "till:old"],
    }
    assert WEBHOOK.operator_secrets() == ()
    assert WEBHOOK.configuration_secrets(settings.read_credentials(given)) == ("till:new", "till:old")
    with pytest.raises(CredentialsError, match="user:password"):
        settings.read_credentials({**given, "webhook_secret": "password"})


# Without the recorded notification there is nothing to read; the tests above read our own.
if EXAMPLE.exists():

    def test_a_recorded_notification_is_understood() -> None:
        content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
        found = WEBHOOK.read(saying("lightspeed", content))
        assert (found.event_type, found.meaning) == ("UPDATE", Meaning.PULL)
        assert found.location_ids == (str(content["businessLocationId"]),)
        kept = WEBHOOK.keep(saying("lightspeed", content))
        assert b"Manager" not in kept
        assert b"Expresso" not in kept
