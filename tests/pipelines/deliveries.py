"""Deliveries of each POS as their vendors would send them, with signatures that openssl has made."""

from dataclasses import replace
from typing import Any

import simplejson

from pipelines.registry import get_connector
from pipelines.webhook import Delivery, Webhook

URL = "https://hooks.example.com/api/v1/webhooks/"
SECRETS = {
    "square": "a-signature-key-for-tests",
    "toast": "a-webhook-secret-for-tests",
    "lightspeed": "till:a-long-password",
}
PROOFS = {
    "square": ("x-square-hmacsha256-signature", "d/SA/7Uj3gyKKcJe8t2Ug4bBoTrgTNVVYtvVHWECQVA="),
    "toast": ("toast-signature", "nDjcUk5T+zrhN/d/GrpSfLkssdyc1YXs0lwnYWVygUs="),
    "lightspeed": ("authorization", "Basic dGlsbDphLWxvbmctcGFzc3dvcmQ="),
}
BODIES = {
    "square": b'{"merchant_id":"MLCRUMB","type":"payment.updated","event_id":"e-1",'
    b'"created_at":"2026-04-12T18:00:00.123456789Z","data":{"type":"payment","id":"P1","object":'
    b'{"payment":{"id":"P1","order_id":"O1","location_id":"L1"}}}}',
    "toast": b'{"timestamp":"2026-04-12T18:00:00.000Z","eventCategory":"order_updated",'
    b'"eventType":"order_updated","guid":"e-1","details":{"restaurantGuid":"r-1",'
    b'"order":{"guid":"o-1","checks":[]}}}',
    "lightspeed": b'{"notificationType":"CLOSE","account":{"accountNumber":"A1.7","status":"closed",'
    b'"updateDate":1776016800250,"staffName":"Canary Wren"},"event":null,"retryCounter":0,'
    b'"businessLocationId":45454565682155}',
}
POS_SYSTEMS = tuple(BODIES)
SIGNED = ("square", "toast")
"""Those whose proof covers the body."""


def webhook(pos_system: str) -> Webhook:
    """The webhooks of a POS."""
    return get_connector(pos_system).webhook


def genuine(pos_system: str) -> Delivery:
    """A delivery that verifies with the secret of `SECRETS`."""
    name, proof = PROOFS[pos_system]
    return Delivery(BODIES[pos_system], {name: proof, "content-type": "application/json"}, URL + pos_system)


def saying(pos_system: str, content: Any, **headers: str) -> Delivery:
    """A delivery with another content; its proof does not fit any more."""
    before = genuine(pos_system)
    body = content if isinstance(content, bytes) else simplejson.dumps(content, use_decimal=True).encode()
    return replace(before, body=body, headers={**before.headers, **headers})
