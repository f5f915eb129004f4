"""The state of everything: configurations, documents that need somebody, the stack."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pipelines.registry import get_connector
from pos_cli.commands.configurations import NONE_YET, as_dict
from pos_cli.output import print_json, print_table, say
from pos_cli.setup import initialise
from pos_cli.stack import running_stack
from pos_core.database.connect import get_engine
from pos_core.health import Health, LastSync, of_configuration, spoken
from pos_core.repositories import breakers, configurations, sync_logs
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.documents import open_problems


def show_status(as_json: bool) -> None:
    """Configurations, documents that need somebody, the stack."""
    ready = initialise()
    with get_engine().connect() as connection:
        found = configurations.listed(connection)
        problems = open_problems(connection)
        last = sync_logs.newest(connection, is_finished=False)
        ended = sync_logs.newest(connection, is_finished=True)
        down = breakers.listed(connection)
    healths = {each.id: _health(each, ended.get(each.id)) for each in found}
    stack = running_stack(ready.home)
    if as_json:
        print_json(
            {
                "home": str(ready.home),
                "stack": stack,
                "configurations": [
                    {
                        **as_dict(each),
                        "last_sync": last.get(each.id),
                        "state": healths[each.id].state,
                        "message": healths[each.id].message,
                    }
                    for each in found
                ],
                "vendors_down": [vars(each) for each in down],
                **problems,
            }
        )
        return
    _print_configurations(found, last, healths)
    for each in down:
        title = get_connector(each.pos_system).title
        say(f"{title} at {each.base_url} does not answer; nobody asks before {_moment(each.open_until)} UTC.")
    names = {each.id: each.name for each in found}
    for title, rows in problems.items():
        for row in rows:
            who = names.get(row["configuration_id"], "")
            say(f"{title}: {who}, {row['stream']} {row['external_id']}: {row['reason']}")
    say(f"The stack is {'up: ' + stack['dagster'] if stack else 'down; `pos up` starts it'}.")


def _health(configuration: Configuration, ended: Mapping[str, Any] | None) -> Health:
    return of_configuration(
        get_connector(configuration.pos_system).title,
        configuration.status,
        configuration.status_reason,
        configuration.consecutive_failures,
        LastSync.read(ended) if ended else None,
    )


def _print_configurations(
    found: Sequence[Configuration],
    last: Mapping[UUID, Mapping[str, Any]],
    healths: Mapping[UUID, Health],
) -> None:
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
                _moment(each.next_sync_at) if each.status == "active" else "",
                each.consecutive_failures,
                healths[each.id].message,
            )
        )
    titles = (
        "configuration",
        "POS",
        "status",
        "read until",
        "last sync",
        "next sync",
        "failures",
        "how it is",
    )
    print_table(titles, rows)
    for each in found:
        if each.open_hours is not None:
            say(f"{each.name} is read less often while its shops are closed; open {spoken(each.open_hours)}.")


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""
