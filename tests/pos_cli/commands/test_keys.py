"""Keys from the command line: the way from one to the next, and what must not be taken away."""

import json
from pathlib import Path

import pytest

from pos_core.repositories import tokens
from pos_core.settings import get_settings
from pos_core.vault import Vault, load_vault, local_key_path
from tests.conftest import Project
from tests.pos_cli.conftest import Pos
from tests.pos_core.given import connect


@pytest.fixture(autouse=True)
def _own_key(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A POS_HOME whose key may be taken away."""
    monkeypatch.setenv("POS_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()


def _seal(project: Project, vault: Vault, count: int) -> list[str]:
    """Configurations and a shared token that a vault sealed."""
    made = []
    with project.engine.begin() as connection:
        for number in range(count):
            configuration = connect(connection)
            sealed = vault.seal(
                configuration.tenant_id, configuration.id, {"access_token": f"token-{number}"}
            )
            made.append((configuration.id, sealed))
        tokens.store(connection, vault, f"client-of-{count}", {"access_token": "shared"})
    for configuration_id, sealed in made:
        project.execute(
            "update pos_configurations set credentials_sealed = :sealed where id = :id",
            sealed=sealed,
            id=configuration_id,
        )
    return [str(each) for each, _ in made]


def _set_keys(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    monkeypatch.setenv("POS_ENCRYPTION_KEYS", ",".join(keys))
    get_settings.cache_clear()


def test_a_new_key_is_one_word_that_the_setting_takes(pos: Pos, monkeypatch: pytest.MonkeyPatch) -> None:
    key = pos("keys", "new").succeeded().out.strip()
    _set_keys(monkeypatch, key)
    assert load_vault(get_settings()).key_ids == [key.partition(":")[0]]
    made = pos("keys", "new", "--json").succeeded().json
    assert made["key"].startswith(made["id"] + ":")
    assert made["key"] != key


def test_the_way_from_the_key_of_the_home_to_one_that_is_given(
    pos: Pos, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    _seal(project, load_vault(get_settings()), 3)
    key = pos("keys", "new", "--json").json
    _set_keys(monkeypatch, key["key"])
    counted = [
        (each["key_id"], each["role"], each["configurations"])
        for each in pos("keys", "status", "--json").json
    ]
    assert counted == [(key["id"], "seals", 0), ("local", "opens", 3)]
    assert "Key local is still needed by 4 rows; `pos keys rotate` seals" in pos("keys", "status").out
    done = pos("keys", "rotate", "--json").succeeded().json
    assert (done["ok"], done["key_id"]) == (True, key["id"])
    assert done["resealed"] == {"configurations": 3, "shared_tokens": 1}
    assert [(each["key_id"], each["is_needed"]) for each in done["keys"]] == [
        (key["id"], True),
        ("local", False),
    ]
    said = pos("keys", "rotate").succeeded().out
    assert "0 configurations, 0 shared tokens and 0 webhook subscriptions now, 3, 1 and 0 were before" in said
    assert f"Nothing needs key local any more: take it out of {local_key_path(get_settings())}" in said
    local_key_path(get_settings()).unlink()
    assert pos("keys", "rotate", "--json").succeeded().json["already"] == {
        "configurations": 3,
        "shared_tokens": 1,
    }


def test_the_way_from_one_given_key_to_the_next(
    pos: Pos, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (pos("keys", "new").out.strip() for _ in range(2))
    _set_keys(monkeypatch, old)
    _seal(project, load_vault(get_settings()), 2)
    _set_keys(monkeypatch, new, old)
    said = pos("keys", "rotate").succeeded().out
    name = old.partition(":")[0]
    assert f"Nothing needs key {name} any more: take it out of POS_ENCRYPTION_KEYS" in said
    _set_keys(monkeypatch, new)
    assert [each["role"] for each in pos("keys", "status", "--json").succeeded().json] == ["seals"]


def test_what_does_not_open_is_listed_and_the_rest_is_done(
    pos: Pos, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    _seal(project, load_vault(get_settings()), 2)
    lost = _seal(project, Vault({"lost": b"x" * 32}), 1)
    _set_keys(monkeypatch, pos("keys", "new").out.strip())
    ran = pos("keys", "rotate", "--json")
    assert lost[0] in ran.failed(3)
    answer = ran.json
    assert (answer["ok"], answer["unopenable_configurations"], answer["unopenable_shared_tokens"]) == (
        False,
        lost,
        1,
    )
    assert answer["resealed"] == {"configurations": 2, "shared_tokens": 1}
    ran = pos("keys", "rotate")
    assert lost[0] in ran.failed(3)
    assert "2 rows were sealed with key lost, which is not among POS_ENCRYPTION_KEYS" in ran.out
    assert "missing here" in pos("keys", "status").succeeded().out


def test_no_command_but_the_one_that_makes_a_key_shows_one(
    pos: Pos, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = load_vault(get_settings())
    _seal(project, local, 1)
    key = pos("keys", "new").out.strip()
    _set_keys(monkeypatch, key)
    secrets = [key.partition(":")[2], local_key_path(get_settings()).read_text(), "token-0"]
    for arguments in (["keys", "status"], ["keys", "rotate"], ["keys", "status", "--json"]):
        ran = pos(*arguments).succeeded()
        assert not any(secret in ran.out for secret in secrets)
    stored = json.dumps(project.rows("select * from pos_audit_logs"), default=str)
    assert not any(secret in stored for secret in secrets)


def test_a_row_without_an_envelope_is_told(pos: Pos, project: Project) -> None:
    lost = _seal(project, load_vault(get_settings()), 1)
    project.execute("update pos_configurations set credentials_sealed = 'bread'")
    assert lost[0] in pos("keys", "rotate").failed(3)
    assert "1 rows hold no envelope" in pos("keys", "status").succeeded().out
