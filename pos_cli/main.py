"""The command line: `pos --help`."""

import sys
from datetime import time
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from pos_core.errors import PosError, SettingsError

app = typer.Typer(
    name="pos",
    help="Sales of many bakeries, from their point-of-sale systems into one set of PostgreSQL tables.\n\n"
    "Start with `pos demo` (the whole job on made-up data) or `pos up` (the stack). All local state is in "
    "POS_HOME (default .pos/); POS_DATABASE_URL names a PostgreSQL 16+ of your own.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
configurations_app = typer.Typer(help="Tenants' connections to their POS accounts.", no_args_is_help=True)
app.add_typer(configurations_app, name="configurations")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def init(as_json: AsJson = False) -> None:
    """Makes POS_HOME, the database, its tables and the marts. Safe to repeat, and to run twice at once."""
    from pos_cli.commands import initialise_all

    initialise_all(as_json)


@app.command()
def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Also a POS sandbox with made-up shops, connected.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; `pos down` stops it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Starts the whole stack: database, API, Dagster's webserver and daemon. Ctrl-C stops all of it."""
    from pos_cli import stack

    if detach:
        stack.up_detached(sandbox, as_json)
    else:
        stack.up(sandbox, as_json)


@app.command()
def down(as_json: AsJson = False) -> None:
    """Stops the stack and the database; the data stays."""
    from pos_cli import stack

    stack.down(as_json)


@app.command()
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print the last line alone.")] = False,
) -> None:
    """The whole job on made-up data: sells, syncs, changes, syncs again, compares. Leaves nothing running."""
    from pos_cli.demo import run_demo

    run_demo(as_json)


@configurations_app.command("create")
def create(
    tenant: Annotated[UUID, typer.Option(help="The tenant's id.")],
    pos: Annotated[str, typer.Option(help="The POS system.")],
    name: Annotated[str, typer.Option(help="A name for people.")],
    credentials: Annotated[Path, typer.Option(help="JSON file with what the vendor gave the customer.")],
    day_starts_at: Annotated[
        str | None,
        typer.Option(help="When the business day begins, HH:MM in local time; default 00:00."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Connects a tenant's POS account; the vendor says whose it is and which shops it has."""
    from pos_cli.commands import create_configuration

    create_configuration(tenant, pos, name, credentials, _day_start(day_starts_at), as_json)


@configurations_app.command("list")
def list_configurations(
    tenant: Annotated[UUID | None, typer.Option(help="Only this tenant's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lists configurations."""
    from pos_cli.commands import show_configurations

    show_configurations(tenant, as_json)


@configurations_app.command("disable")
def disable_configuration(
    configuration: Annotated[UUID, typer.Argument(help="The configuration's id.")],
    reason: Annotated[str, typer.Option(help="Why; shown in the status.")] = "disabled by hand",
    as_json: AsJson = False,
) -> None:
    """Stops syncing a configuration; its rows stay. `create` with the same account revives it."""
    from pos_cli.commands import disable

    disable(configuration, reason, as_json)


@app.command()
def sync(
    configuration: Annotated[
        list[UUID] | None,
        typer.Option(help="A configuration; may be repeated. Default: all active ones."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Read again from this instant on, ISO 8601. Default: what is missing."),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait for configurations that another run is syncing just now."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Syncs now, in this process, whether or not the stack is up. Exits 4 when a configuration failed."""
    from pos_cli.commands import sync_now

    sync_now(configuration or [], since, wait, as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Shows each configuration, what is quarantined or waited for, and whether the stack is up."""
    from pos_cli.commands import show_status

    show_status(as_json)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="JSON: one document, an array, or a vendor's search answer.")],
    configuration: Annotated[UUID, typer.Option(help="Whose documents they are.")],
    stream: Annotated[str, typer.Option(help="The kind of document: orders, payments, refunds, …")],
    read_at: Annotated[
        str | None,
        typer.Option(help="When the vendor gave them, ISO 8601; without it they rank lowest."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lands documents from a file and normalises them, for what a customer sent to support."""
    from pos_cli.commands import replay_file

    replay_file(configuration, stream, file, read_at, as_json)


@app.command("database-url")
def database_url(as_json: AsJson = False) -> None:
    """Prints the database's URL for psql and others; starts the embedded server, `pos down` stops it."""
    from pos_cli.commands import print_database_url

    print_database_url(as_json)


def _day_start(text: str | None) -> time | None:
    if text is None:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--day-starts-at {text!r} is no time like 04:00.") from None


def run() -> None:
    """Entry point: every failure of ours is one line and its exit code."""
    from pos_cli.output import fail, print_json

    try:
        app()
    except PosError as error:
        if "--json" in sys.argv:
            print_json({"ok": False, "error": error.message})
        fail(error.message)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        fail("interrupted")
        raise SystemExit(130) from None


if __name__ == "__main__":
    run()
