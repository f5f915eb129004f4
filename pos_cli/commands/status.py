"""The state of everything: configurations, documents that need somebody, the stack."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from pos_cli.commands.configurations import NONE_YET, as_dict
from pos_cli.output import print_json, print_table, say
from pos_cli.setup import initialise
from pos_cli.stack import running_stack
from pos_core.database.connect import get_engine
from pos_core.repositories import configurations
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.documents import open_problems

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


def show_status(as_json: bool) -> None:
    """Configurations, documents that need somebody, the stack."""
    ready = initialise()
    with get_engine().connect() as connection:
        found = configurations.listed(connection)
        problems = open_problems(connection)
        last = {
            row["configuration_id"]: dict(row) for row in connection.execute(text(_LAST_SYNCS)).mappings()
        }
    stack = running_stack(ready.home)
    if as_json:
        print_json(
            {
                "home": str(ready.home),
                "stack": stack,
                "configurations": [{**as_dict(each), "last_sync": last.get(each.id)} for each in found],
                **problems,
            }
        )
        return
    _print_configurations(found, last)
    names = {each.id: each.name for each in found}
    for title, rows in problems.items():
        for row in rows:
            who = names.get(row["configuration_id"], "")
            say(f"{title}: {who}, {row['stream']} {row['external_id']}: {row['reason']}")
    say(f"The stack is {'up: ' + stack['dagster'] if stack else 'down; `pos up` starts it'}.")


def _print_configurations(found: Sequence[Configuration], last: Mapping[UUID, Mapping[str, Any]]) -> None:
    if not found:
        say(NONE_YET)
        return
    rows = []
    for each in found:
        sync = last.get(each.id, {})
        rows.append(
            (
                each.name,
                each.pos_system,
                each.status,
                _moment(sync.get("read_until")),
                f"{sync.get('status', 'never')} {_moment(sync.get('finished_at'))}",
                each.consecutive_failures,
                sync.get("error") or each.status_reason or "",
            )
        )
    print_table(("configuration", "POS", "status", "read until", "last sync", "failures", "error"), rows)


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""
