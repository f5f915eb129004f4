"""Documents: syncing them from vendors, replaying them from files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from pos_cli.commands.database import normalise_now
from pos_cli.inputs import read_instant, read_json
from pos_cli.output import ReportedError, print_json, print_table, progress, say
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.errors import ConfigurationError, DocumentError
from pos_core.repositories import configurations
from pos_core.repositories.documents import open_problems
from pos_core.settings import get_settings
from pos_core.vault import load_vault


class SyncFailedError(ReportedError):
    """At least one configuration could not be synced."""

    exit_code = 4


def sync_now(ids: Sequence[UUID], wait: bool, as_json: bool) -> None:
    """One Dagster run over the configurations.

    Raises:
        ConfigurationError: an id is unknown, or none is active.
        SyncFailedError: some failed; the message names them.
    """
    _read(ids, "Syncing", {"wait": wait}, as_json)


def backfill_now(ids: Sequence[UUID], begin: str, end: str | None, as_json: bool) -> None:
    """One Dagster run that reads a period of the configurations again.

    Raises:
        ConfigurationError: an id is unknown, none is active, or the period is none.
        SyncFailedError: some failed; the message names them.
    """
    from pipelines.windows import Span

    Span(read_instant(begin, "--from"), read_instant(end, "--to"))
    _read(ids, "Reading again", {"since": begin, "until": end, "wait": True}, as_json)


def _read(ids: Sequence[UUID], doing: str, config: Mapping[str, Any], as_json: bool) -> None:
    from pos_cli.stack import join_running_stack

    ready = initialise()
    join_running_stack(ready.home)
    with get_engine().connect() as connection:
        wanted = [configurations.get(connection, each).id for each in dict.fromkeys(ids)]
        wanted = wanted or configurations.active_ids(connection)
    if not wanted:
        raise ConfigurationError("There is no active configuration; `pos configurations create` makes one.")
    with progress(f"{doing}: {len(wanted)} configurations", "pipelines.rounds"):
        from pos_cli.runs import run_sync

        results = run_sync(ready, wanted, config)
    failed = [each for each in results if each.status in ("failed", "postponed")]
    if as_json:
        rows = [{**vars(each), "configuration_id": str(each.configuration_id)} for each in results]
        print_json({"ok": not failed, "configurations": rows})
    else:
        print_table(
            ("configuration", "status", "landed", "unchanged", "quarantined", "error"),
            [(e.name, e.status, e.landed, e.skipped, e.quarantined, e.error or "") for e in results],
        )
    if failed:
        names = "; ".join(f"{each.name} ({each.configuration_id}): {each.error}" for each in failed)
        raise SyncFailedError(f"{len(failed)} of {len(results)} configurations were not read: {names}")


def replay_file(configuration_id: UUID, stream: str, file: Path, read_at: str | None, as_json: bool) -> None:
    """Lands a file's documents and brings the marts up to date.

    Raises:
        ConfigurationError: the configuration or the stream is unknown.
        DocumentError: the file holds no documents.
    """
    at = read_instant(read_at, "--read-at")
    saved = read_json(file, DocumentError)
    ready = initialise()
    from pipelines.replay import replay
    from pipelines.sync import Context

    context = Context(get_engine(), ready.address, load_vault(get_settings()), ready.home / "work")
    with progress("Replaying"):
        with get_engine().connect() as connection:
            began = connection.execute(select(func.now())).scalar_one()
        counts = replay(context, configuration_id, stream, saved, at)
        normalise_now(ready)
        with get_engine().connect() as connection:
            problems = open_problems(connection, configuration_id)
    # A document may land and then be refused, or have to wait, when it is normalised.
    aside = {name: sum(row["last_seen_at"] >= began for row in rows) for name, rows in problems.items()}
    figures = {
        "read": counts.documents_read,
        "landed": counts.documents_landed,
        "unchanged": counts.documents_skipped,
        **aside,
    }
    if as_json:
        print_json({"ok": True, **figures})
    else:
        say(
            f"Read {figures['read']} documents: {figures['landed']} landed, "
            f"{figures['unchanged']} were there already; {figures['quarantined']} quarantined, "
            f"{figures['waiting']} waiting."
        )
        if any(aside.values()):
            say("`pos status` lists those that are quarantined or wait, with the reason.")
