"""Webhooks: registering them, replacing their keys, trying them, and how they are doing."""

from collections.abc import Sequence
from typing import Any

from pipelines import registration
from pipelines.connector import Connector
from pipelines.registration import Registered
from pipelines.registry import connectors, get_connector
from pos_cli.output import ReportedError, print_json, print_table, progress, say
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.repositories import configurations, webhook_figures
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import load_vault
from webhook_api.schemas.webhooks import WebhookStatus
from webhook_api.services.webhook_status import put_together

_DONE = {
    "created": "Registered",
    "updated": "Brought up to date",
    "unchanged": "Registered already, nothing to change",
    "rotated": "The signature key is replaced; the one before is accepted for three days more",
}


class RefusedTestError(ReportedError):
    """A test event was sent and our address did not accept it."""

    exit_code = 4


def register_webhooks(pos: str, as_json: bool) -> None:
    """Makes the subscription or brings it up to date; where that takes a person, says what to do.

    Raises:
        PosError: there is no such POS, a setting is missing, or the vendor refuses.
    """
    connector = get_connector(pos)
    initialise()
    if connector.webhook.registration is None:
        _instruct(connector, as_json)
        return
    with progress(f"Asking {connector.title}"):
        done = registration.register(get_engine(), load_vault(get_settings()), connector)
    _tell(connector, done, as_json)


def rotate_key(pos: str, as_json: bool) -> None:
    """Replaces the signature key.

    Raises:
        PosError: as `register_webhooks`, or the vendor has no API for it.
    """
    connector = get_connector(pos)
    initialise()
    with progress(f"Asking {connector.title}"):
        done = registration.rotate(get_engine(), load_vault(get_settings()), connector)
    _tell(connector, done, as_json)


def try_webhooks(pos: str, as_json: bool) -> None:
    """Has the vendor send a test event.

    Raises:
        PosError: as `rotate_key`.
        RefusedTestError: it was sent, and not accepted.
    """
    connector = get_connector(pos)
    initialise()
    with progress(f"Asking {connector.title}"):
        result = registration.test(get_engine(), connector)
    if as_json:
        print_json({"ok": result.is_accepted, "pos_system": pos, **vars(result)})
    elif result.is_accepted:
        say(f"{connector.title} sent {result.event_type} to {result.url}; it was accepted.")
    if not result.is_accepted:
        raise RefusedTestError(
            f"{connector.title} sent {result.event_type} to {result.url} and got HTTP {result.status_code}; "
            "see that the stack is up and reachable there (`pos up`), and that the key fits "
            f"(`pos webhooks register {pos}`)."
        )


def show_webhooks(pos: str | None, as_json: bool) -> None:
    """How the webhooks of a POS, or of all, are doing.

    Raises:
        ConfigurationError: there is no such POS.
    """
    chosen = [get_connector(pos)] if pos else list(connectors().values())
    initialise()
    with get_engine().begin() as connection:
        found = [
            put_together(connection, each, webhook_figures.losses(connection, None, each.pos_system), True)
            for each in chosen
        ]
    if as_json:
        shown = [each.model_dump(mode="json") for each in found]
        print_json(shown[0] if pos else shown)
        return
    for connector, status in zip(chosen, found, strict=True):
        _show(connector, status)


def _tell(connector: Connector, done: Registered, as_json: bool) -> None:
    if as_json:
        print_json({"ok": True, "pos_system": connector.pos_system, **vars(done)})
        return
    say(f"{_DONE[done.action]}: {connector.title} sends to {done.url} (subscription {done.external_id}).")
    if done.is_key_new and done.action == "updated":
        say("Its signature key is another one now; the one before is accepted for three days more.")
    if done.removed:
        say(f"Second subscriptions to that address that were removed: {done.removed}.")
    for url in done.elsewhere:
        say(
            f"{connector.title} also has a subscription of this name to {url}; delete it there if nobody "
            "needs it."
        )


def _instruct(connector: Connector, as_json: bool) -> None:
    """What a person has to enter where: for all accounts together, or for each connection."""
    instructions = connector.webhook.instructions
    if instructions is None:
        raise AssertionError(f"{connector.pos_system} offers neither an API for webhooks nor instructions")
    scopes, settings = connector.webhook.scopes, get_settings()
    shared = settings.webhook_address(connector.pos_system) if "application" in scopes else None
    with get_engine().connect() as connection:
        own: Sequence[Configuration] = [
            each
            for each in configurations.listed(connection)
            if each.pos_system == connector.pos_system and each.status == "active"
        ]
    addresses = {each.id: settings.webhook_address(connector.pos_system, each.id) for each in own}
    if "configuration" not in scopes:
        own = []
    if as_json:
        rows: list[dict[str, Any]] = [
            {"configuration_id": each.id, "name": each.name, "address": addresses[each.id],
             "instructions": instructions(addresses[each.id])}
            for each in own
        ]  # fmt: skip
        for_all = {"address": shared, "instructions": instructions(shared)} if shared else None
        print_json(
            {"ok": True, "pos_system": connector.pos_system, "action": "by_hand", "for_all": for_all,
             "configurations": rows}
        )  # fmt: skip
        return
    say(f"{connector.title} has no API for webhooks; somebody has to enter them.")
    if shared:
        say("For all accounts together:")
        _say_lines(instructions(shared))
    if "configuration" in scopes:
        say("For each configuration, with its own address in the list below:")
        _say_lines(instructions(settings.webhook_address(connector.pos_system) + "/<configuration>"))
        for each in own:  # in one piece each, to be copied
            say(f"  {each.name}: {addresses[each.id]}")
        if not own:
            say("No account of it is connected yet; `pos configurations create` connects one.")


def _say_lines(text: str) -> None:
    for line in text.splitlines():
        say(f"  {line}")


def _show(connector: Connector, status: WebhookStatus) -> None:
    known = status.registration
    if known.is_registered is None:
        say(
            f"{connector.title}: entered by hand; `pos webhooks register {status.pos_system}` says what "
            "and where."
        )
    elif not known.is_registered:
        say(f"{connector.title}: not registered; `pos webhooks register {status.pos_system}` does it.")
    else:
        word = "enabled" if known.is_enabled else "disabled by the vendor"
        say(f"{connector.title}: registered to {known.registered_address}, {word} at {known.checked_at}.")
    if known.problem:
        say(f"  The last attempt failed: {known.problem}")
    if not known.has_secret and known.is_registered is not None:
        say("  There is no key to verify events with; they are answered with 503 so that they come again.")
    say(f"  Last event: {status.last_event_at or 'none'}. Pending: {status.pending}{_since(status)}.")
    say(f"  Last hour: {_counts(status.last_hour.by_outcome)}.")
    say(f"  Last day: {_counts(status.last_day.by_outcome)}.")
    say(f"  Last day by type: {_counts(status.last_day.by_type)}.")
    say(f"  Last day, nothing stored: {_counts(status.not_stored_last_day or {})}.")
    p50, p95 = status.seconds_to_row.p50, status.seconds_to_row.p95
    if p50 is not None and p95 is not None:
        say(f"  Seconds to the row: p50 {p50:.1f}, p95 {p95:.1f}.")
    if status.configurations:
        print_table(
            ("configuration", "last event", "announced", "unannounced", "unpolled"),
            [
                (each.name, each.last_event_at or "none", each.announced, each.unannounced, each.unpolled)
                for each in status.configurations
            ],
        )


def _since(status: WebhookStatus) -> str:
    return f", the oldest since {status.oldest_pending_at}" if status.oldest_pending_at else ""


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
