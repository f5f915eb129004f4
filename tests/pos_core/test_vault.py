"""Credentials are sealed before they are stored, and open only where they belong."""

import base64
import json
from uuid import UUID, uuid4

import pytest

from pos_core.errors import VaultError
from pos_core.settings import Settings, get_settings
from pos_core.vault import Vault, fingerprint, load_vault, local_key_path, new_key
from tests.pos_core.processes import together

TENANT, CONFIGURATION = uuid4(), uuid4()
TOKEN = {"access_token": "sweet-roll", "scopes": ["ORDERS_READ"]}
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_what_was_sealed_opens_again_and_cannot_be_read_before() -> None:
    vault = Vault({"k": OLD_KEY})
    envelope = vault.seal(TENANT, CONFIGURATION, TOKEN)
    assert "sweet" not in envelope
    assert vault.open(TENANT, CONFIGURATION, envelope) == TOKEN


def test_the_same_credentials_are_sealed_differently_each_time() -> None:
    vault = Vault({"k": OLD_KEY})
    envelopes = {vault.seal(TENANT, CONFIGURATION, TOKEN) for _ in range(20)}
    assert len({json.loads(each)["n"] for each in envelopes}) == 20
    assert len({json.loads(each)["c"] for each in envelopes}) == 20


@pytest.mark.parametrize(
    ("tenant", "configuration"), [(uuid4(), CONFIGURATION), (TENANT, uuid4()), (CONFIGURATION, TENANT)]
)
def test_an_envelope_copied_to_another_row_does_not_open(tenant: UUID, configuration: UUID) -> None:
    vault = Vault({"k": OLD_KEY})
    envelope = vault.seal(TENANT, CONFIGURATION, TOKEN)
    with pytest.raises(VaultError, match="do not open with this key"):
        vault.open(tenant, configuration, envelope)


def test_another_key_of_the_same_id_does_not_open_it() -> None:
    envelope = Vault({"k": OLD_KEY}).seal(TENANT, CONFIGURATION, TOKEN)
    with pytest.raises(VaultError, match="do not open with this key"):
        Vault({"k": NEW_KEY}).open(TENANT, CONFIGURATION, envelope)


def test_a_key_that_is_gone_is_said_to_be_missing() -> None:
    envelope = Vault({"old": OLD_KEY}).seal(TENANT, CONFIGURATION, TOKEN)
    with pytest.raises(VaultError, match=f"{CONFIGURATION}.*not among POS_ENCRYPTION_KEYS"):
        Vault({"new": OLD_KEY}).open(TENANT, CONFIGURATION, envelope)


def test_the_first_key_seals_and_all_open() -> None:
    old = Vault({"old": OLD_KEY}).seal(TENANT, CONFIGURATION, TOKEN)
    both = Vault({"new": NEW_KEY, "old": OLD_KEY})
    assert both.open(TENANT, CONFIGURATION, old) == TOKEN
    assert json.loads(both.seal(TENANT, CONFIGURATION, TOKEN))["kid"] == "new"


@pytest.mark.parametrize(
    "envelope",
    ["", "no JSON", "[]", "7", "{}", '{"kid": "k"}', '{"kid": "k", "n": "!", "c": 1}', '{"kid": ["k"]}'],
)
def test_an_envelope_that_is_none_is_a_vault_error(envelope: str) -> None:
    with pytest.raises(VaultError, match="are damaged"):
        Vault({"k": OLD_KEY}).open(TENANT, CONFIGURATION, envelope)


@pytest.mark.parametrize("part", ["n", "c"])
def test_a_changed_or_cut_envelope_does_not_open(part: str) -> None:
    vault = Vault({"k": OLD_KEY})
    parts = json.loads(vault.seal(TENANT, CONFIGURATION, TOKEN))
    content = base64.b64decode(parts[part])
    for changed in (bytes([content[0] ^ 1]) + content[1:], content[:-1], b""):
        with pytest.raises(VaultError, match="do not open"):
            vault.open(TENANT, CONFIGURATION, json.dumps({**parts, part: _base64(changed)}))


def test_a_vault_shows_the_names_of_its_keys_alone() -> None:
    shown = repr(Vault({"bread": OLD_KEY, "rolls": NEW_KEY}))
    assert shown == "Vault(key_ids=['bread', 'rolls'])"


def test_fingerprints_tell_credentials_apart_without_showing_them() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint(TOKEN) != fingerprint({**TOKEN, "access_token": "sour-roll"})
    assert len(fingerprint(TOKEN)) == 16


def test_the_key_file_is_made_once_and_is_private(settings_variables: pytest.MonkeyPatch) -> None:
    envelope = load_vault(get_settings()).seal(TENANT, CONFIGURATION, TOKEN)
    path = get_settings().home_path / "encryption.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.with_suffix(".new").exists()
    assert load_vault(get_settings()).open(TENANT, CONFIGURATION, envelope) == TOKEN


def test_a_key_that_a_killed_process_left_half_written_is_made_anew(
    settings_variables: pytest.MonkeyPatch,
) -> None:
    home = get_settings().home_path
    home.mkdir()
    (home / "encryption.new").write_text("half a k")
    load_vault(get_settings())
    assert len(base64.b64decode((home / "encryption.key").read_text())) == 32


_MAKE_KEY = """
import sys
from pos_core.settings import get_settings
from pos_core.vault import load_vault
from uuid import UUID
print("ready", flush=True)
sys.stdin.readline()
print(load_vault(get_settings()).seal(UUID(sys.argv[1]), UUID(sys.argv[2]), {"a": "b"}))
"""


def test_processes_that_make_the_key_at_the_same_moment_make_one(
    settings_variables: pytest.MonkeyPatch,
) -> None:
    envelopes = together(_MAKE_KEY, 3, TENANT, CONFIGURATION)
    vault = load_vault(get_settings())
    assert [vault.open(TENANT, CONFIGURATION, each) for each in envelopes] == [{"a": "b"}] * 3


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", _base64(b"x" * 31).encode()])
def test_a_damaged_key_file_is_named(settings_variables: pytest.MonkeyPatch, content: bytes) -> None:
    home = get_settings().home_path
    home.mkdir()
    (home / "encryption.key").write_bytes(content)
    with pytest.raises(VaultError, match=r"encryption\.key must hold base64 of 32 bytes"):
        load_vault(get_settings())


def test_a_key_file_that_cannot_be_read_is_named(settings_variables: pytest.MonkeyPatch) -> None:
    (get_settings().home_path / "encryption.key").mkdir(parents=True)
    with pytest.raises(VaultError, match=r"encryption\.key cannot be used: Is a directory\.$"):
        load_vault(get_settings())


def test_production_has_no_key_of_its_own(settings_variables: pytest.MonkeyPatch) -> None:
    settings_variables.setenv("POS_ENVIRONMENT", "production")
    with pytest.raises(VaultError, match="POS_ENCRYPTION_KEYS is required"):
        load_vault(get_settings())
    assert not get_settings().home_path.exists()
    settings_variables.setenv("POS_ENCRYPTION_KEYS", f"k:{_base64(NEW_KEY)}")
    load_vault(Settings()).seal(TENANT, CONFIGURATION, TOKEN)


def test_keys_that_are_given_come_before_the_file(settings_variables: pytest.MonkeyPatch) -> None:
    given = f"new:{_base64(NEW_KEY)},old:{_base64(OLD_KEY)}"
    settings_variables.setenv("POS_ENCRYPTION_KEYS", given)
    vault = load_vault(get_settings())
    assert repr(vault) == "Vault(key_ids=['new', 'old'])"
    envelope = Vault({"old": OLD_KEY}).seal(TENANT, CONFIGURATION, TOKEN)
    assert vault.open(TENANT, CONFIGURATION, envelope) == TOKEN
    assert not get_settings().home_path.exists()


@pytest.mark.parametrize(
    "given",
    [
        "sourdough",
        "sourdough:",
        "k:sourdough",
        f"k:{_base64(b'sourdough')}",
        f":{_base64(NEW_KEY)}",
        f"k:{_base64(NEW_KEY)},k:{_base64(OLD_KEY)}",
    ],
)
def test_malformed_keys_are_refused_and_not_repeated(
    settings_variables: pytest.MonkeyPatch, given: str
) -> None:
    settings_variables.setenv("POS_ENCRYPTION_KEYS", given)
    with pytest.raises(VaultError, match=r"^POS_ENCRYPTION_KEYS must ") as caught:
        load_vault(get_settings())
    assert not any(part in caught.value.message for part in ("sourdough", _base64(NEW_KEY)))


def test_a_vault_needs_a_key() -> None:
    with pytest.raises(VaultError, match="set POS_ENCRYPTION_KEYS"):
        Vault({})


def test_the_key_of_the_home_opens_last_what_it_sealed_before(settings_variables: pytest.MonkeyPatch) -> None:
    envelope = load_vault(get_settings()).seal(TENANT, CONFIGURATION, TOKEN)
    settings_variables.setenv("POS_ENCRYPTION_KEYS", f"new:{_base64(NEW_KEY)}")
    vault = load_vault(Settings())
    assert vault.key_ids == ["new", "local"]
    assert vault.open(TENANT, CONFIGURATION, envelope) == TOKEN
    assert json.loads(vault.seal(TENANT, CONFIGURATION, TOKEN))["kid"] == "new"
    local_key_path(Settings()).unlink()
    assert load_vault(Settings()).key_ids == ["new"]


def test_a_key_by_the_name_of_the_homes_is_refused_unless_it_is_the_same(
    settings_variables: pytest.MonkeyPatch,
) -> None:
    load_vault(get_settings())
    settings_variables.setenv("POS_ENCRYPTION_KEYS", f"local:{_base64(NEW_KEY)}")
    with pytest.raises(VaultError, match="give it another id"):
        load_vault(Settings())
    same = local_key_path(Settings()).read_text()
    settings_variables.setenv("POS_ENCRYPTION_KEYS", f"new:{_base64(NEW_KEY)},local:{same}")
    assert load_vault(Settings()).key_ids == ["new", "local"]


def test_a_damaged_key_of_the_home_is_named_though_others_are_given(
    settings_variables: pytest.MonkeyPatch,
) -> None:
    get_settings().home_path.mkdir()
    local_key_path(get_settings()).write_text("short")
    settings_variables.setenv("POS_ENCRYPTION_KEYS", f"new:{_base64(NEW_KEY)}")
    with pytest.raises(VaultError, match=r"encryption\.key must hold base64"):
        load_vault(Settings())


def test_a_new_key_is_one_that_a_vault_takes_and_no_other_has(settings_variables: pytest.MonkeyPatch) -> None:
    keys = [new_key(), new_key()]
    settings_variables.setenv("POS_ENCRYPTION_KEYS", ",".join(keys))
    vault = load_vault(Settings())
    assert vault.key_ids == [key.partition(":")[0] for key in keys]
    assert len({key.partition(":")[2] for key in keys}) == 2
