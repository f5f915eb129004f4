"""`pos token`: prints a token that holds, and nothing where tokens come from an issuer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pos_core.settings import get_settings
from tests.pos_cli.conftest import Pos
from webhook_api.auth import ADMIN, OPERATOR, READ, WRITE, verify

TENANT = uuid4()


def test_the_token_stands_alone_on_a_line(pos: Pos) -> None:
    said = pos("token", "--tenant", TENANT).succeeded().out
    assert said.count("\n") == 1
    found = verify(get_settings(), said.strip())
    assert (found.tenant_id, found.scopes) == (TENANT, frozenset({READ, WRITE, ADMIN}))


def test_json_says_what_it_is_for_and_until_when(pos: Pos) -> None:
    before = datetime.now(UTC)
    said = (
        pos("token", "--tenant", TENANT, "--scope", READ, "--scope", OPERATOR, "--lifetime", 5, "--json")
        .succeeded()
        .json
    )
    assert verify(get_settings(), said["token"]).scopes == {READ, OPERATOR}
    assert (said["tenant_id"], said["scopes"]) == (str(TENANT), [OPERATOR, READ])
    lasts = datetime.fromisoformat(said["expires_at"]) - before
    assert timedelta(minutes=4) < lasts <= timedelta(minutes=6)
    assert said["expires_at"].endswith("Z")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tenant", "mine"],
        ["--tenant", TENANT, "--scope", "pos:everything"],
        ["--tenant", TENANT, "--lifetime", 0],
        ["--tenant", TENANT, "--lifetime", 43_201],
        [],
    ],
)
def test_a_wrong_argument_is_one_line(pos: Pos, arguments: list[object]) -> None:
    ran = pos("token", *arguments)
    assert ran.failed(2)
    assert ran.out == ""


@pytest.mark.parametrize(
    ("name", "value"), [("POS_ENVIRONMENT", "production"), ("POS_JWKS_URL", "https://issuer.example/keys")]
)
def test_where_there_is_an_issuer_it_makes_no_tokens(
    pos: Pos, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    assert "POS_JWKS_URL" in pos("token", "--tenant", TENANT).failed(2)
