"""Access tokens: which hold, and that nothing else does."""

import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos_core.errors import AccessTokenError, IssuerError, SettingsError
from pos_core.settings import Settings, get_settings
from tests.webhook_api.issuers import (
    Issuer,
    claims,
    ec_key,
    issuing,
    published,
    rsa_key,
    signed,
    unsigned,
)
from webhook_api.auth import LONGEST_TOKEN, READ, WRITE, Principal, mint, verify

TENANT = UUID("5f0c1c52-6f0e-4a3c-9a53-0d8f3f5d2b11")
QUICK = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def development(settings_of_service: pytest.MonkeyPatch) -> Settings:
    return get_settings()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing(published(rsa_key(), "r1"), published(ec_key(), "e1")) as issuer:
        yield issuer


@pytest.fixture
def issued(settings_of_service: pytest.MonkeyPatch, issuer: Issuer) -> Settings:
    """Settings with an issuer, in production."""
    settings_of_service.setenv("POS_JWKS_URL", issuer.url)
    settings_of_service.setenv("POS_ENVIRONMENT", "production")
    get_settings.cache_clear()
    return get_settings()


def _refused(using: Settings, token: str) -> str:
    with pytest.raises(AccessTokenError) as caught:
        verify(using, token)
    return caught.value.message


def test_a_development_token_says_who_asks(development: Settings) -> None:
    token = mint(development, TENANT, frozenset({READ, WRITE}), timedelta(minutes=1))
    assert verify(development, token) == Principal("development", TENANT, frozenset({READ, WRITE}))


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(rsa_key(), "RS256", "r1"), (ec_key(), "ES256", "e1")]
)
def test_a_token_of_the_issuer_says_who_asks(issued: Settings, key: Any, algorithm: str, key_id: str) -> None:
    token = signed(key, claims(TENANT), algorithm, key_id)
    assert verify(issued, token) == Principal("ada", TENANT, frozenset({READ, WRITE}))


@pytest.mark.parametrize(
    ("changed", "scopes"),
    [
        ({"scope": None, "scp": ["pos:read", "other"]}, {READ}),
        ({"scope": None, "scp": "pos:read pos:write"}, {READ, WRITE}),
        ({"scope": "pos:read pos:everything pos:ADMIN"}, {READ}),
        ({"scope": ""}, set()),
        ({"scope": None}, set()),
        ({"aud": ["other", "pos-api"]}, {READ, WRITE}),
    ],
)
def test_scopes_are_a_text_or_a_list_and_unknown_ones_count_for_nothing(
    issued: Settings, changed: dict[str, Any], scopes: set[str]
) -> None:
    token = signed(rsa_key(), claims(TENANT, **changed), "RS256", "r1")
    assert verify(issued, token).scopes == scopes


AGO, AHEAD = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
BAD_CLAIMS: list[dict[str, Any]] = [
    {"exp": AGO}, {"exp": None}, {"exp": "soon"}, {"exp": float("inf")}, {"nbf": AHEAD}, {"iat": AHEAD},
    {"iss": "somebody"}, {"iss": None}, {"aud": "other"}, {"aud": None}, {"aud": []},
    {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "a\x00b"}, {"sub": "a\nb"}, {"sub": "\ud800"},
    {"sub": "a" * 300}, {"tenant_id": None}, {"tenant_id": "mine"}, {"tenant_id": 7},
    {"tenant_id": [str(TENANT)]}, {"scope": 7}, {"scope": None, "scp": {"pos:read": 1}, "exp": AGO},
    {"scope": [["pos:read"]]},
]  # fmt: skip


@pytest.mark.parametrize("changed", BAD_CLAIMS)
def test_a_token_whose_claims_do_not_hold_is_refused(issued: Settings, changed: dict[str, Any]) -> None:
    _refused(issued, signed(rsa_key(), claims(TENANT, **changed), "RS256", "r1"))


def test_the_leeway_is_small_and_an_expired_token_is_called_so(issued: Settings) -> None:
    now = datetime.now(UTC)
    just = claims(TENANT, exp=now - timedelta(seconds=5), nbf=now + timedelta(seconds=5))
    assert verify(issued, signed(rsa_key(), just, "RS256", "r1")).tenant_id == TENANT
    over = claims(TENANT, exp=now - timedelta(minutes=1))
    assert "expired" in _refused(issued, signed(rsa_key(), over, "RS256", "r1"))


def _public_pem() -> bytes:
    return rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _hmac_with_public_key() -> str:
    """The classic confusion: the public key, which everybody has, taken for a shared secret."""
    from jwt.algorithms import HMACAlgorithm

    token = unsigned({"alg": "HS256", "typ": "JWT", "kid": "r1"}, _plain())
    head = token.rpartition(".")[0]
    signature = HMACAlgorithm(HMACAlgorithm.SHA256).sign(head.encode(), _public_pem())
    return f"{head}.{jwt.utils.base64url_encode(signature).decode()}"


def _plain() -> dict[str, Any]:
    made = claims(TENANT)
    return {**made, **{name: int(made[name].timestamp()) for name in ("iat", "exp")}}


def _forgeries() -> Iterator[tuple[str, str]]:
    other = rsa.generate_private_key(65537, 2048)
    good = claims(TENANT)
    yield "none", unsigned({"alg": "none", "kid": "r1"}, _plain())
    yield "None", unsigned({"alg": "None", "kid": "r1"}, _plain())
    yield "no algorithm", unsigned({"kid": "r1"}, _plain())
    yield "algorithm of another kind", unsigned({"alg": ["RS256"], "kid": "r1"}, _plain())
    yield "hmac with the public key", _hmac_with_public_key()
    yield "another's key", signed(other, good, "RS256", "r1")
    yield "no key id", signed(rsa_key(), good, "RS256", None)
    yield "the other kind's key id", signed(rsa_key(), good, "RS256", "e1")
    yield "the other kind's algorithm", signed(ec_key(), good, "ES256", "r1")
    yield "an algorithm that is not allowed", signed(rsa_key(), good, "RS512", "r1")
    yield "pss", signed(rsa_key(), good, "PS256", "r1")
    yield "no signature", signed(rsa_key(), good, "RS256", "r1").rpartition(".")[0] + "."
    yield "deep header", unsigned("[" * 5000, "{}")
    yield "deep header object", unsigned('{"alg":' * 900, "{}")
    yield (
        "key in the header",
        jwt.encode(
            good,
            other,
            "RS256",
            headers={"jwk": published(other, "x"), "jku": "http://127.0.0.1:1/", "kid": "x"},
        ),
    )
    yield (
        "critical header",
        jwt.encode(good, rsa_key(), "RS256", headers={"kid": "r1", "crit": ["x"], "x": 1}),
    )
    yield "too long", signed(rsa_key(), claims(TENANT, padding="x" * LONGEST_TOKEN), "RS256", "r1")
    yield "empty", ""
    yield "dots", ".."
    yield "not ascii", "é.é.é"


FORGERIES = dict(_forgeries())


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("environment", ["production", "development"])
def test_a_forgery_is_refused(
    issued: Settings, settings_of_service: pytest.MonkeyPatch, name: str, environment: str
) -> None:
    settings_of_service.setenv("POS_ENVIRONMENT", environment)
    if environment == "development":
        settings_of_service.delenv("POS_JWKS_URL")
    get_settings.cache_clear()
    _refused(get_settings(), FORGERIES[name])


def test_with_an_issuer_a_development_token_does_not_hold(
    development: Settings, issuer: Issuer, settings_of_service: pytest.MonkeyPatch
) -> None:
    token = mint(development, TENANT, frozenset({READ}), timedelta(minutes=1))
    settings_of_service.setenv("POS_JWKS_URL", issuer.url)
    get_settings.cache_clear()
    asked = issuer.asked
    _refused(get_settings(), token)
    assert issuer.asked == asked
    with pytest.raises(SettingsError):
        mint(get_settings(), TENANT, frozenset({READ}), timedelta(minutes=1))


def test_an_issuer_that_does_not_answer_is_not_a_bad_token(
    settings_of_service: pytest.MonkeyPatch,
) -> None:
    with issuing() as gone:
        settings_of_service.setenv("POS_JWKS_URL", gone.url)
    get_settings.cache_clear()
    with pytest.raises(IssuerError):
        verify(get_settings(), signed(rsa_key(), claims(TENANT), "RS256", "r1"))


def test_production_mints_and_takes_no_development_token(
    development: Settings, settings_of_service: pytest.MonkeyPatch
) -> None:
    token = mint(development, TENANT, frozenset({READ}), timedelta(minutes=1))
    settings_of_service.setenv("POS_ENVIRONMENT", "production")
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match="POS_JWKS_URL"):
        verify(get_settings(), token)
    with pytest.raises(SettingsError, match="POS_JWKS_URL"):
        mint(get_settings(), TENANT, frozenset({READ}), timedelta(minutes=1))


def test_the_development_key_is_whole_private_and_made_once(
    development: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    tokens: list[str] = []

    def make() -> None:
        tokens.append(mint(development, TENANT, frozenset({READ}), timedelta(minutes=1)))

    caplog.set_level("INFO", logger="webhook_api.auth")
    threads = [threading.Thread(target=make) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {verify(development, each).tenant_id for each in tokens} == {TENANT}
    home = development.home_path
    assert os.listdir(home) == ["token.key"]
    assert stat.S_IMODE((home / "token.key").stat().st_mode) == 0o600
    assert len(caplog.messages) == 1
    assert (home / "token.key").read_bytes().hex() not in caplog.text


def test_verifying_reads_no_file(development: Settings, tmp_path: Path) -> None:
    token = mint(development, TENANT, frozenset({READ}), timedelta(minutes=1))
    (development.home_path / "token.key").unlink()
    assert verify(development, token).tenant_id == TENANT
    assert os.listdir(development.home_path) == []


def test_a_damaged_key_is_said(development: Settings) -> None:
    development.home_path.mkdir()
    (development.home_path / "token.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match="damaged"):
        mint(development, TENANT, frozenset({READ}), timedelta(minutes=1))


@QUICK
@given(data=st.data())
def test_a_mangled_token_is_never_accepted(issued: Settings, data: st.DataObject) -> None:
    good = signed(rsa_key(), claims(TENANT), "RS256", "r1")
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["replace", "insert", "cut", "drop"]))
    letter = data.draw(st.characters())
    mangled = {
        "replace": good[:at] + letter + good[at + 1 :],
        "insert": good[:at] + letter + good[at:],
        "cut": good[:at],
        "drop": good[:at] + good[at + 1 :],
    }[kind]
    if _means_the_same(mangled, good):
        return
    _refused(issued, mangled)


def _means_the_same(token: str, good: str) -> bool:
    """The last letter of a part has bits that base64 does not use, and what is no letter may be skipped."""
    try:
        return [jwt.utils.base64url_decode(each) for each in token.split(".")] == [
            jwt.utils.base64url_decode(each) for each in good.split(".")
        ]
    except ValueError:
        return False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(
    header=JSON
    | st.fixed_dictionaries({"alg": st.sampled_from(["RS256", "ES256", "HS256"])}, optional={"kid": JSON}),
    content=JSON,
    signature=st.binary(max_size=80),
)
def test_a_token_of_any_content_without_the_key_is_never_accepted(
    issued: Settings, header: Any, content: Any, signature: bytes
) -> None:
    _refused(issued, unsigned(header, content, signature))


@QUICK
@given(token=st.text(max_size=200))
def test_any_text_is_refused(issued: Settings, token: str) -> None:
    _refused(issued, token)


@QUICK
@given(
    changed=st.dictionaries(
        st.sampled_from(["sub", "tenant_id", "scope", "scp", "exp", "nbf", "iat", "aud"]), JSON
    )
)
def test_signed_claims_of_any_kind_give_a_principal_or_are_refused(
    issued: Settings, changed: dict[str, Any]
) -> None:
    token = unsigned({"alg": "ES256", "kid": "e1"}, {**_plain(), **changed})
    head = token.rpartition(".")[0]
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(head.encode(), ec_key())
    try:
        found = verify(issued, f"{head}.{jwt.utils.base64url_encode(signature).decode()}")
    except AccessTokenError:
        return
    assert isinstance(found.tenant_id, UUID)
    assert found.subject.isprintable()
    assert found.scopes <= {READ, WRITE, "pos:admin", "pos:operator"}


def test_an_unknown_tenant_is_still_a_principal(issued: Settings) -> None:
    other = uuid4()
    assert verify(issued, signed(ec_key(), claims(other), "ES256", "e1")).tenant_id == other
