"""Encryption keys: a new one, sealing everything with it, and which are needed no more."""

from collections.abc import Iterator, Sequence

from pos_cli.output import ReportedError, print_json, print_table, progress, say
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.errors import VaultError
from pos_core.rotation import KeyStatus, Rotation, key_statuses, rotate
from pos_core.settings import get_settings
from pos_core.vault import LOCAL_KEY_ID, Vault, load_vault, local_key_path, new_key

_ROLES = {
    "seals": "seals and opens",
    "opens": "opens",
    "missing": "missing here",
    "damaged": "damaged envelopes",
}


class _LostCredentialsError(ReportedError):
    """Some credentials do not open; everything else was done."""

    exit_code = VaultError.exit_code


def print_new_key(as_json: bool) -> None:
    """A key for POS_ENCRYPTION_KEYS."""
    key = new_key()
    if as_json:
        print_json({"id": key.partition(":")[0], "key": key})
    else:
        print(key)


def rotate_keys(as_json: bool) -> None:
    """Seals everything with the first key.

    Raises:
        VaultError: the credentials of some configurations did not open.
    """
    initialise()
    vault = load_vault(get_settings())
    with progress("Sealing"):
        rotation = rotate(get_engine(), vault)
    statuses = key_statuses(get_engine(), vault)
    lost = [str(each) for each in rotation.lost_configurations]
    if as_json:
        print_json({"ok": not lost, **_as_dict(rotation, vault), "keys": _described(statuses)})
    else:
        _tell(rotation, vault, statuses)
    if lost:
        raise _LostCredentialsError(
            f"The credentials of {len(lost)} configurations do not open with any key that is here: "
            f"{', '.join(lost)}. Put the key they were sealed with behind the others, or connect them again."
        )


def show_keys(as_json: bool) -> None:
    """Which key sealed how much."""
    initialise()
    statuses = key_statuses(get_engine(), load_vault(get_settings()))
    if as_json:
        print_json(_described(statuses))
        return
    rows = [
        (each.key_id or "", _ROLES[each.role], each.configurations, each.shared_tokens, each.subscriptions)
        for each in statuses
    ]
    print_table(("key", "here it", "configurations", "shared tokens", "webhook subscriptions"), rows)
    for line in _advice(statuses):
        say(line)


def _as_dict(rotation: Rotation, vault: Vault) -> dict[str, object]:
    return {
        "key_id": vault.sealing_key_id,
        "resealed": dict(rotation.resealed),
        "already": dict(rotation.already),
        "unopenable_configurations": rotation.lost_configurations,
        "unopenable_shared_tokens": rotation.lost_tokens,
    }


def _described(statuses: Sequence[KeyStatus]) -> list[dict[str, object]]:
    return [{**vars(each), "is_needed": each.is_needed} for each in statuses]


def _tell(rotation: Rotation, vault: Vault, statuses: Sequence[KeyStatus]) -> None:
    done, were = rotation.resealed, rotation.already
    say(
        f"Sealed with key {vault.sealing_key_id}: {done['configurations']} configurations, "
        f"{done['shared_tokens']} shared tokens and {done['subscriptions']} webhook subscriptions now, "
        f"{were['configurations']}, {were['shared_tokens']} and {were['subscriptions']} were before."
    )
    if rotation.lost_tokens:
        say(f"{rotation.lost_tokens} shared tokens do not open; the vendor is asked for others when needed.")
    for line in _advice(statuses):
        say(line)


def _advice(statuses: Sequence[KeyStatus]) -> Iterator[str]:
    """What may be taken away, and what must not."""
    settings = get_settings()
    for each in statuses:
        rows = each.rows
        if each.role == "missing":
            yield f"{rows} rows were sealed with key {each.key_id}, which is not among POS_ENCRYPTION_KEYS."
        elif each.role == "damaged":
            yield f"{rows} rows hold no envelope; connect their configurations again."
        elif each.role == "opens" and each.is_needed:
            yield f"Key {each.key_id} is still needed by {rows} rows; `pos keys rotate` seals them anew."
        elif each.role == "opens":
            is_local = each.key_id == LOCAL_KEY_ID and local_key_path(settings).exists()
            where = str(local_key_path(settings)) if is_local else "POS_ENCRYPTION_KEYS"
            yield (
                f"Nothing needs key {each.key_id} any more: take it out of {where} once every process seals "
                f"with {statuses[0].key_id}. Backups from before need it still."
            )
