"""An issuer of access tokens: keys of each kind, and a server that publishes what a test says."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key that is made once, for it takes a while."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def published(key: Private, key_id: str, **more: object) -> dict[str, Any]:
    """The public half as a JWKS has it."""
    if isinstance(key, rsa.RSAPrivateKey):
        entry = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        entry = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**entry, "kid": key_id, "use": "sig", **more}


def claims(tenant: UUID, /, **changed: object) -> dict[str, Any]:
    """What a good token says; None takes a claim away."""
    now = datetime.now(UTC)
    made = {
        "iss": "pos-integration",
        "aud": "pos-api",
        "sub": "ada",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "tenant_id": str(tenant),
        "scope": "openid pos:read pos:write",
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def signed(key: Any, content: Mapping[str, Any], algorithm: str, key_id: str | None) -> str:
    """A token."""
    return jwt.encode(dict(content), key, algorithm, headers={"kid": key_id} if key_id else None)


def unsigned(header: object, content: object, signature: bytes = b"") -> str:
    """A token put together by hand; a header that is text stands as it is."""
    parts = [
        each.encode() if isinstance(each, str) else json.dumps(each, default=str).encode()
        for each in (header, content)
    ]
    encoded = [base64.urlsafe_b64encode(each).rstrip(b"=") for each in (*parts, signature)]
    return b".".join(encoded).decode()


@dataclass
class Issuer:
    """What the server publishes, and how often it was asked; a test may change it at any time."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    asked: int = 0
    gate: threading.Event | None = None
    """While it is not set, answers wait."""


@contextmanager
def issuing(*keys: dict[str, Any]) -> Iterator[Issuer]:
    """An issuer on loopback."""
    issuer = Issuer(keys=list(keys))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            if issuer.gate is not None:
                issuer.gate.wait(30)
            body = json.dumps({"keys": issuer.keys}).encode() if issuer.body is None else issuer.body
            self.send_response(issuer.status)
            self.send_header("Location", issuer.url + "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        if issuer.gate is not None:
            issuer.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
