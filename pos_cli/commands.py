"""What the commands do, apart from the stack and the demo."""

import getpass
import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.table import Table
from sqlalchemy import text

from pos_cli.output import console, print_json, progress
from pos_cli.setup import Ready, dagster_environment, initialise
from pos_core.database.connect import database_address, embedded_server, get_engine
from pos_core.errors import (
    ConfigurationError,
    CredentialsError,
    DocumentError,
    PosError,
    SettingsError,
)
from pos_core.repositories import configurations
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.documents import open_problems
from pos_core.settings import get_settings
from pos_core.vault import load_vault


class SyncFailedError(PosError):
    """At least one configuration could not be synced."""

    exit_code = 4


def initialise_all(as_json: bool) -> None:
    """Tables, Dagster's storage and the marts."""
    with progress("Preparing the database"):
        ready = initialise()
        dagster_environment(ready)
        normalise_now(ready)
    if as_json:
        print_json({"ok": True, "home": str(ready.home), "migrated": ready.migrated})
    else:
        console.print(f"Ready: state in {ready.home}, database {ready.address!r}.")


def normalise_now(ready: Ready) -> None:
    """Builds the marts when they are missing or their models changed, and takes in what is pending."""
    from pipelines.normalise import normalise

    normalise(get_engine(), ready.address, ready.home / "dbt")


def create_configuration(
    tenant: UUID, pos: str, name: str, credentials: Path, day_starts_at: time | None, as_json: bool
) -> None:
    """Asks the vendor whose credentials they are and stores them sealed."""
    ready = initialise()
    with progress("Asking the vendor"):
        created, was_there = connect_account(
            tenant, pos, name, _read_json(credentials, CredentialsError), day_starts_at
        )
    if as_json:
        print_json({"id": str(created.id), "account_id": created.account_id, "revived": was_there})
    else:
        word = "Connected again" if was_there else "Connected"
        console.print(f"{word}: {created.name}, account {created.account_id}. Its id is {created.id}.")
        console.print(f"`pos sync --configuration {created.id}` reads its sales. State is in {ready.home}.")


def connect_account(
    tenant: UUID, pos: str, name: str, given: Any, day_starts_at: time | None = None
) -> tuple[Configuration, bool]:
    """Makes or revives the configuration of the account that the credentials belong to.

    Raises:
        CredentialsError: the file lacks something.
        VendorError: the vendor cannot be asked, or refuses.
        ConfigurationError: a location is live under another configuration.
    """
    from pipelines.connect import Request
    from pipelines.connect import connect_account as connect

    settings = get_settings()
    request = Request(
        tenant_id=tenant,
        pos_system=pos,
        name=name,
        given=given,
        actor=f"cli:{getpass.getuser()}",
        sync_interval_seconds=settings.sync_interval_seconds,
        day_starts_at=day_starts_at,
    )
    return connect(get_engine(), load_vault(settings), request)


def show_configurations(tenant: UUID | None, as_json: bool) -> None:
    """Lists configurations, without secrets."""
    initialise()
    with get_engine().connect() as connection:
        found = configurations.listed(connection, tenant)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    table = Table("id", "tenant", "POS", "name", "account", "status")
    for each in found:
        table.add_row(
            str(each.id),
            str(each.tenant_id),
            each.pos_system,
            each.name,
            each.account_id,
            each.status,
        )
    console.print(table if found else "No configurations yet; `pos configurations create` makes one.")


def disable(configuration_id: UUID, reason: str, as_json: bool) -> None:
    """Stops syncing a configuration."""
    initialise()
    with get_engine().begin() as connection:
        disabled = configurations.disable(connection, configuration_id, reason, f"cli:{getpass.getuser()}")
    if as_json:
        print_json(_as_json(disabled))
    else:
        console.print(f"{disabled.name} is disabled; its rows stay.")


def sync_now(ids: Sequence[UUID], since: str | None, wait: bool, as_json: bool) -> None:
    """One Dagster run over the configurations."""
    ready = initialise()
    _instant(since, "--since")
    with get_engine().connect() as connection:
        wanted = [configurations.get(connection, each).id for each in ids]
        wanted = wanted or configurations.active_ids(connection)
    if not wanted:
        raise ConfigurationError("There is no active configuration; `pos configurations create` makes one.")
    with progress(f"Syncing {len(wanted)} configurations"):
        from pos_cli.runs import run_sync

        results = run_sync(ready, wanted, since, wait)
    failed = [each for each in results if each.status == "failed"]
    if as_json:
        rows = [{**vars(each), "configuration_id": str(each.configuration_id)} for each in results]
        print_json({"ok": not failed, "configurations": rows})
    else:
        table = Table("configuration", "status", "landed", "unchanged", "quarantined", "error")
        for each in results:
            counts = (str(each.landed), str(each.skipped), str(each.quarantined))
            table.add_row(each.name, each.status, *counts, each.error or "")
        console.print(table)
    if failed:
        names = "; ".join(f"{each.name} ({each.configuration_id}): {each.error}" for each in failed)
        raise SyncFailedError(f"{len(failed)} of {len(results)} configurations failed: {names}")


def show_status(as_json: bool) -> None:
    """Configurations, documents that need somebody, the stack."""
    from pos_cli.stack import running_stack

    ready = initialise()
    with get_engine().connect() as connection:
        found = configurations.listed(connection)
        problems = open_problems(connection)
        last = connection.execute(text(_LAST_SYNCS)).mappings().all()
    by_id = {row["configuration_id"]: dict(row) for row in last}
    stack = running_stack(ready.home)
    if as_json:
        print_json(
            {
                "home": str(ready.home),
                "stack": stack,
                "configurations": [{**_as_json(each), "last_sync": by_id.get(each.id)} for each in found],
                **problems,
            }
        )
        return
    table = Table("configuration", "POS", "status", "read until", "last sync", "failures", "error")
    for each in found:
        row = by_id.get(each.id, {})
        table.add_row(
            each.name,
            each.pos_system,
            each.status,
            _moment(row.get("read_until")),
            f"{row.get('status', 'never')} {_moment(row.get('finished_at'))}",
            str(each.consecutive_failures),
            str(row.get("error") or ""),
        )
    console.print(table if found else "No configurations yet; `pos configurations create` makes one.")
    names = {each.id: each.name for each in found}
    for title, rows in problems.items():
        for row in rows:
            who = names.get(row["configuration_id"], "")
            console.print(f"{title}: {who}, {row['stream']} {row['external_id']}: {row['reason']}")
    console.print(f"The stack is {'up: ' + stack['dagster'] if stack else 'down; `pos up` starts it'}.")


def replay_file(configuration_id: UUID, stream: str, file: Path, read_at: str | None, as_json: bool) -> None:
    """Lands a file's documents and brings the marts up to date."""
    ready = initialise()
    at = _instant(read_at, "--read-at")
    from pipelines.replay import replay
    from pipelines.sync import Context

    settings = get_settings()
    context = Context(get_engine(), ready.address, load_vault(settings), ready.home / "work")
    with progress("Replaying"):
        counts = replay(context, configuration_id, stream, _read_json(file, DocumentError), at)
        normalise_now(ready)
    if as_json:
        print_json(
            {
                "ok": True,
                "read": counts.documents_read,
                "landed": counts.documents_landed,
                "unchanged": counts.documents_skipped,
                "quarantined": counts.documents_quarantined,
            }
        )
    else:
        console.print(
            f"Read {counts.documents_read} documents: {counts.documents_landed} landed, "
            f"{counts.documents_skipped} were there already, {counts.documents_quarantined} quarantined."
        )


def print_database_url(as_json: bool) -> None:
    """The URL; an embedded server then stays until `pos down`."""
    initialise()
    server = embedded_server()
    if server is not None:
        server.keep_running(True)
    url = database_address().libpq()
    if as_json:
        print_json({"url": url})
    else:
        print(url)


_LAST_SYNCS = """
    select distinct on (log.configuration_id)
        log.configuration_id, log.status, log.started_at, log.finished_at, log.documents_landed,
        log.error_class, log.error,
        (
            select min(newest) from (
                select max(w.window_to) as newest from pos_sync_windows as w
                where w.configuration_id = log.configuration_id group by w.stream, w.external_location_id
            ) as per_stream
        ) as read_until
    from pos_sync_logs as log
    order by log.configuration_id, log.started_at desc
"""


def _read_json(path: Path, error: type[PosError]) -> Any:
    from pipelines import json_text

    try:
        return json_text.parse(path.read_bytes())
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise error(f"{path} holds no valid JSON.") from None


def _instant(given: str | None, option: str) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise SettingsError(f"{option} {given!r} is no ISO 8601 time like 2026-03-01T00:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _as_json(configuration: Configuration) -> dict[str, Any]:
    return json.loads(json.dumps(vars(configuration), default=str))  # type: ignore[no-any-return]


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""
