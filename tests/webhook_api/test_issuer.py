"""The issuer's keys: which are used, when it is asked, and what happens while it does not answer."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from pos_core.errors import AccessTokenError, IssuerError
from tests.webhook_api.issuers import Issuer, ec_key, issuing, published, rsa_key
from webhook_api.issuer import COOL_DOWN_SECONDS, FRESH_SECONDS, STALE_SECONDS, IssuerKeys


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(published(rsa_key(), "r1"), published(ec_key(), "e1")) as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> IssuerKeys:
    return IssuerKeys(issuer.url, clock)


def test_each_key_is_for_one_algorithm_and_read_once(issuer: Issuer, keys: IssuerKeys) -> None:
    assert [keys.key(each).algorithm_name for each in ("r1", "e1", "r1", "e1")] == [
        "RS256", "ES256", "RS256", "ES256",
    ]  # fmt: skip
    assert issuer.asked == 1


def test_unknown_keys_make_the_issuer_be_asked_no_more_than_once_in_a_while(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    keys.key("r1")
    for attempt in range(50):
        with pytest.raises(AccessTokenError):
            keys.key(f"random-{attempt}")
    assert issuer.asked == 1
    clock.now += COOL_DOWN_SECONDS
    for attempt in range(50):
        with pytest.raises(AccessTokenError):
            keys.key(f"random-{attempt}")
    assert issuer.asked == 2


def test_a_new_key_is_found_and_one_that_was_taken_away_is_refused(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    keys.key("r1")
    issuer.keys = [published(ec_key(), "e2")]
    clock.now += COOL_DOWN_SECONDS
    assert keys.key("e2").algorithm_name == "ES256"
    with pytest.raises(AccessTokenError):
        keys.key("r1")


def test_keys_are_read_again_when_they_are_old(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    keys.key("r1")
    clock.now += FRESH_SECONDS
    keys.key("r1")
    assert issuer.asked == 2


def test_a_known_key_outlives_an_issuer_that_is_down_but_not_for_ever(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    keys.key("r1")
    issuer.status = 500
    clock.now += FRESH_SECONDS
    assert keys.key("r1").key_id == "r1"
    with pytest.raises(IssuerError):
        keys.key("e2")
    clock.now += STALE_SECONDS
    with pytest.raises(IssuerError):
        keys.key("r1")
    issuer.status = 200
    clock.now += COOL_DOWN_SECONDS
    assert keys.key("r1").key_id == "r1"


def test_an_issuer_that_never_answered_is_not_hammered(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    issuer.status = 503
    for _ in range(20):
        with pytest.raises(IssuerError):
            keys.key("r1")
    assert issuer.asked == 1


def test_a_known_key_does_not_wait_while_another_thread_reads(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    keys.key("r1")
    clock.now += FRESH_SECONDS
    issuer.gate = threading.Event()
    reader = threading.Thread(target=keys.key, args=("r1",))
    reader.start()
    while issuer.asked < 2:
        time.sleep(0.005)
    assert keys.key("r1").key_id == "r1"
    with pytest.raises(IssuerError):  # whether it is new is being asked
        keys.key("e2")
    assert reader.is_alive()
    issuer.gate.set()
    reader.join()


def test_threads_that_start_together_read_once(issuer: Issuer, keys: IssuerKeys) -> None:
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(keys.key("r1").key_id)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (found, issuer.asked) == (["r1"] * 8, 1)


def _private(key_id: str) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(rsa_key(), as_dict=True), "kid": key_id}


def _of_curve(curve: ec.EllipticCurve) -> dict[str, Any]:
    key = ec.generate_private_key(curve)
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "bad"}


@pytest.mark.parametrize(
    "entry",
    [
        published(rsa_key(), "bad", use="enc"),
        published(rsa_key(), "bad", alg="RS512"),
        published(rsa_key(), "bad", alg="HS256"),
        published(rsa_key(), "bad", key_ops=["sign"]),
        published(rsa_key(), "bad", key_ops="verify"),
        published(rsa_key(1024), "bad"),
        published(rsa_key(), "bad", n="!"),
        {each: value for each, value in published(rsa_key(), "bad").items() if each != "kid"},
        published(rsa_key(), "bad", kid=7),
        _private("bad"),
        _of_curve(ec.SECP384R1()),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "bad", "alg": "HS256"},
        {"kid": "bad"},
        "bad",
        None,
    ],
)
def test_a_key_that_is_not_for_this_is_left_out_and_the_others_stay(
    issuer: Issuer, keys: IssuerKeys, entry: Any
) -> None:
    issuer.keys.insert(0, entry)
    with pytest.raises(AccessTokenError):
        keys.key("bad")
    assert keys.key("r1").key_id == "r1"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b'{"keys": 7}'),
        (200, b'{"keys": []}'),
        (200, b"\xff"),
        (200, b"[" * 100_000),
        (200, b'{"keys": [' + b" " * 300_000 + b"]}"),
        (302, b""),
        (404, b'{"keys": []}'),
    ],
)
def test_what_is_no_set_of_keys_is_an_issuer_that_failed(
    issuer: Issuer, keys: IssuerKeys, status: int, body: bytes
) -> None:
    issuer.status, issuer.body = status, body
    with pytest.raises(IssuerError):
        keys.key("r1")
    assert issuer.asked == 1


def test_nobody_listening_is_an_issuer_that_failed(clock: Clock) -> None:
    with issuing() as gone:
        url = gone.url
    with pytest.raises(IssuerError):
        IssuerKeys(url, clock).key("r1")
