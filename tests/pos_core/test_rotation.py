"""Sealing anew: nothing that is newer is lost, nothing that is lost goes unsaid, and it may end anywhere."""

import json
import signal
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from pos_core.database.tables import webhook_subscriptions
from pos_core.repositories import configurations, tokens
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.rotation import KeyStatus, key_statuses, rotate
from pos_core.vault import NOBODY, Vault
from tests.pos_core.given import CREDENTIALS, VAULT, connect
from tests.pos_core.processes import line, python

OLD, NEW = {"test": b"\x07" * 32}, {"new": b"\x08" * 32}
BOTH = Vault({**NEW, **OLD})
ONLY_NEW = Vault(NEW)


def _connect(engine: Engine, count: int) -> list[Configuration]:
    with engine.begin() as connection:
        return [
            connect(connection, credentials={"access_token": f"token-of-bakery-{number}"})
            for number in range(count)
        ]


def _opened(engine: Engine, vault: Vault, configuration: Configuration) -> dict[str, Any]:
    with engine.connect() as connection:
        return configurations.open_credentials(connection, vault, configuration)


def _row(engine: Engine, configuration: Configuration) -> dict[str, Any]:
    query = text("select * from pos_configurations where id = :id")
    with engine.connect() as connection:
        return dict(connection.execute(query, {"id": configuration.id}).one()._mapping)


def test_everything_is_sealed_with_the_first_key_and_nothing_else_of_it_changes(engine: Engine) -> None:
    made = _connect(engine, 3)
    with engine.begin() as connection:
        tokens.store(connection, VAULT, "client:secret", {"access_token": "croissant"})
        subscription_id = uuid4()
        connection.execute(
            webhook_subscriptions.insert().values(
                id=subscription_id,
                pos_system="square",
                base_url="http://vendor",
                url="http://us",
                keys_sealed=VAULT.seal(NOBODY, subscription_id, {"current": "signature key"}),
                is_enabled=True,
            )
        )
        configurations.delete(connection, made[2].id, Actor("tester"))
    before = [_row(engine, each) for each in made]
    rotation = rotate(engine, BOTH)
    assert rotation.resealed == {"configurations": 2, "shared_tokens": 1, "subscriptions": 1}
    assert (rotation.already.total(), rotation.lost_configurations, rotation.lost_tokens) == (0, [], 0)
    assert _opened(engine, ONLY_NEW, made[0]) == {"access_token": "token-of-bakery-0"}
    with engine.connect() as connection:
        assert tokens.read(connection, ONLY_NEW, "client:secret") == {"access_token": "croissant"}
    sealed = [row.pop("credentials_sealed") for row in before]
    after = [_row(engine, each) for each in made]
    assert [row.pop("credentials_sealed") is None for row in after] == [False, False, True]
    assert sealed[2] is None
    assert after == before


def test_a_second_rotation_finds_nothing_to_do(engine: Engine) -> None:
    made = _connect(engine, 2)
    rotate(engine, BOTH)
    before = [_row(engine, each) for each in made]
    rotation = rotate(engine, BOTH)
    assert (rotation.resealed.total(), rotation.already) == (0, {"configurations": 2})
    assert [_row(engine, each) for each in made] == before


def test_more_rows_than_one_batch_are_all_sealed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pos_core.rotation._BATCH", 3)
    _connect(engine, 7)
    assert rotate(engine, BOTH).resealed == {"configurations": 7}


class _Meanwhile(Vault):
    """A vault that lets somebody else act once, between what is read and what is put in its place."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__({**NEW, **OLD})
        self._acts = [act]

    def open(self, tenant_id: UUID, configuration_id: UUID, envelope: str) -> dict[str, object]:
        opened = super().open(tenant_id, configuration_id, envelope)
        if self._acts:
            self._acts.pop()()
        return opened


def test_a_token_that_is_renewed_meanwhile_is_kept_and_sealed_anew(engine: Engine) -> None:
    [made] = _connect(engine, 1)

    def renew() -> None:
        with engine.begin() as connection:
            configurations.store_credentials(connection, VAULT, made, {"access_token": "renewed"})

    assert rotate(engine, _Meanwhile(renew)).resealed == {"configurations": 1}
    assert _opened(engine, ONLY_NEW, made) == {"access_token": "renewed"}


def test_credentials_that_are_destroyed_meanwhile_stay_destroyed(engine: Engine) -> None:
    [made] = _connect(engine, 1)

    def delete() -> None:
        with engine.begin() as connection:
            configurations.delete(connection, made.id, Actor("tester"))

    rotation = rotate(engine, _Meanwhile(delete))
    assert (rotation.resealed.total(), rotation.lost_configurations) == (0, [])
    assert _row(engine, made)["credentials_sealed"] is None


def test_a_shared_token_that_is_renewed_meanwhile_is_kept(engine: Engine) -> None:
    def store(token: str) -> None:
        with engine.begin() as connection:
            tokens.store(connection, VAULT, "key", {"access_token": token})

    store("stale")
    assert rotate(engine, _Meanwhile(lambda: store("fresh"))).resealed == {"shared_tokens": 1}
    with engine.connect() as connection:
        assert tokens.read(connection, ONLY_NEW, "key") == {"access_token": "fresh"}


def test_what_does_not_open_is_listed_and_left_and_the_others_are_done(engine: Engine) -> None:
    made = _connect(engine, 5)
    _overwrite(engine, made[0], "no envelope")
    _overwrite(engine, made[1], Vault({"lost": b"x" * 32}).seal(made[1].tenant_id, made[1].id, CREDENTIALS))
    _overwrite(engine, made[2], Vault({"new": b"y" * 32}).seal(made[2].tenant_id, made[2].id, CREDENTIALS))
    _overwrite(engine, made[3], _row(engine, made[4])["credentials_sealed"])
    with engine.begin() as connection:
        tokens.store(connection, Vault({"lost": b"x" * 32}), "key", {"access_token": "1"})
    before = [_row(engine, each) for each in made[:4]]
    rotation = rotate(engine, BOTH)
    assert sorted(rotation.lost_configurations) == sorted(each.id for each in made[:4])
    assert rotation.lost_tokens == 1
    assert rotation.resealed == {"configurations": 1}
    assert [_row(engine, each) for each in made[:4]] == before
    assert _opened(engine, ONLY_NEW, made[4]) == {"access_token": "token-of-bakery-4"}


def test_the_status_counts_rows_by_key_without_opening_them(engine: Engine) -> None:
    made = _connect(engine, 4)
    _overwrite(engine, made[0], "no envelope")
    _overwrite(engine, made[1], json.dumps({"v": 1, "kid": "lost", "n": "", "c": ""}))
    with engine.begin() as connection:
        tokens.store(connection, VAULT, "key", {"access_token": "1"})
    assert key_statuses(engine, BOTH) == [
        KeyStatus("new", "seals", 0, 0, 0),
        KeyStatus("test", "opens", 2, 1, 0),
        KeyStatus("lost", "missing", 1, 0, 0),
        KeyStatus(None, "damaged", 1, 0, 0),
    ]
    rotate(engine, BOTH)
    needed = {each.key_id: each.is_needed for each in key_statuses(engine, BOTH)}
    assert needed == {"new": True, "test": False, "lost": True, None: True}


_ROTATE_FOR_EVER = """
import sys
from sqlalchemy import create_engine
from pos_core.rotation import rotate
from pos_core.vault import NOBODY, Vault
keys = {"test": b"\\x07" * 32, "new": b"\\x08" * 32}
engine = create_engine(sys.argv[1])
while True:
    keys = dict(reversed(keys.items()))
    print(rotate(engine, Vault(keys)).resealed.total(), flush=True)
"""


def test_a_rotation_that_is_killed_leaves_everything_openable_and_is_taken_up_again(engine: Engine) -> None:
    made = _connect(engine, 60)
    with python(_ROTATE_FOR_EVER, engine.url.render_as_string(hide_password=False)) as process:
        assert line(process) == "60"
        while _keys_in_use(engine) != {"test", "new"}:  # until it is in the middle of its work
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    for number, each in enumerate(made):
        assert _opened(engine, BOTH, each) == {"access_token": f"token-of-bakery-{number}"}
    rotation = rotate(engine, BOTH)
    assert rotation.resealed["configurations"] + rotation.already["configurations"] == 60
    assert _opened(engine, ONLY_NEW, made[-1]) == {"access_token": "token-of-bakery-59"}


def _keys_in_use(engine: Engine) -> set[str | None]:
    return {each.key_id for each in key_statuses(engine, BOTH) if each.configurations}


def _overwrite(engine: Engine, configuration: Configuration, sealed: str) -> None:
    statement = text("update pos_configurations set credentials_sealed = :sealed where id = :id")
    with engine.begin() as connection:
        connection.execute(statement, {"sealed": sealed, "id": configuration.id})
