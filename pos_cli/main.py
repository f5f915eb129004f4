"""The command line: `pos --help`."""

import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from pos_cli.inputs import AsJson
from pos_cli.operators import keys_app, readers_app
from pos_cli.webhooks import webhooks_app
from pos_core.errors import DatabaseError, PosError

_INTERRUPTED = 130
# Folders alone: help must not import every connector.
_POS_SYSTEMS = sorted(
    path.parent.name for path in Path(__file__).parent.parent.glob("pipelines/*/__init__.py")
)

app = typer.Typer(
    name="pos",
    help="Sales of many bakeries, from their point-of-sale systems into one set of PostgreSQL tables.\n\n"
    "New here? `pos demo` does the whole job on made-up data in under a minute and leaves nothing running; "
    "`pos up --sandbox` starts everything with made-up shops to look at. For a real account: "
    "`pos configurations create`, then `pos sync`, or `pos up` to sync on schedule.\n\n"
    "Settings are environment variables. POS_HOME (default: .pos) is the folder of all local state. "
    "POS_DATABASE_URL names a PostgreSQL 16 or newer of your own (default: an embedded one in POS_HOME). "
    "<POS>_BASE_URL is where that vendor's API is (default: its production).",
    epilog="Exit codes: 0 all went well, 1 another failure, 2 wrong input or setting, 3 database or key, "
    "4 a vendor or at least one configuration failed, 5 models, 6 a port or a part of the stack.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
configurations_app = typer.Typer(
    help="Connect, list and disable tenants' POS accounts.\n\nA configuration is one tenant's connection to "
    "one account of a POS vendor; its credentials are kept sealed and are never shown.",
    no_args_is_help=True,
)
app.add_typer(configurations_app, name="configurations")
app.add_typer(keys_app, name="keys")
app.add_typer(readers_app, name="readers")
app.add_typer(webhooks_app, name="webhooks")


@app.command(epilog="Example: POS_HOME=/srv/pos pos init")
def init(as_json: AsJson = False) -> None:
    """Make POS_HOME, the database, its tables and the marts.

    The other commands do it by themselves. Safe to repeat, and to run twice at once. Where this user may
    not create roles, it prints what a superuser has to run.
    """
    from pos_cli.commands.database import initialise_all

    initialise_all(as_json)


@app.command(epilog="Example: POS_DAGSTER_PORT=3001 pos up --sandbox --detach")
def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Also a POS sandbox with made-up shops, already connected.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; `pos down` stops it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start everything: database, API, Dagster's web page and daemon.

    Ctrl-C stops all of it; the data stays, and the next `pos up` goes on with it.

    POS_API_PORT (default: 8000), POS_DAGSTER_PORT (3000) and POS_SANDBOX_PORT (8010) choose the ports.
    """
    from pos_cli import stack

    if detach:
        stack.up_detached(sandbox, as_json)
    else:
        stack.up(sandbox, as_json)


@app.command(
    epilog='Example: curl -H "Authorization: Bearer $(pos token --tenant $TENANT)" '
    "http://127.0.0.1:8000/api/v1/tenants/$TENANT/pos/configurations"
)
def token(
    tenant: Annotated[UUID, typer.Option(help="The tenant's id.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may do: pos:read, pos:write, pos:admin, pos:operator; may be repeated. Default: "
            "all but the last."
        ),
    ] = None,
    lifetime: Annotated[
        int, typer.Option(min=1, max=43_200, help="Minutes until it expires; at most 30 days.")
    ] = 60,
    as_json: AsJson = False,
) -> None:
    """Print an access token of the API, for development.

    In production, and wherever POS_JWKS_URL is set, tokens come from the issuer alone.
    """
    from pos_cli.commands.tokens import print_token

    print_token(tenant, scope or [], lifetime, as_json)


@app.command(epilog="Example: pos down")
def down(as_json: AsJson = False) -> None:
    """Stop what `pos up` and `pos database-url` started; the data stays."""
    from pos_cli import stack

    stack.down(as_json)


@app.command(epilog="Example: pos demo --scale small")
def demo(
    scale: Annotated[
        str, typer.Option(help="How much is sold: demo (some 6,300 documents) or small (some 450).")
    ] = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="Print the last line alone.")] = False,
) -> None:
    """Do the whole job on made-up data and compare every sum.

    Sells bread in a sandbox, syncs, changes some sales, syncs twice more, compares with what was sold.

    Uses POS_HOME/demo, made new each time, and leaves nothing running. The last line is JSON.
    """
    from pos_cli.demo import run_demo

    run_demo(as_json, scale)


@configurations_app.command(
    "create",
    epilog="Example: pos configurations create --tenant 5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11 "
    f"--pos {_POS_SYSTEMS[0]} --name 'Corner Bakery' --credentials sent.json",
)
def create(
    tenant: Annotated[UUID, typer.Option(help="The tenant's id, a UUID of your choice.")],
    pos: Annotated[str, typer.Option(help=f"The POS system: {', '.join(_POS_SYSTEMS)}.")],
    name: Annotated[str, typer.Option(help="A name for people.")],
    credentials: Annotated[
        Path,
        typer.Option(
            help="JSON file with what the vendor gave the customer; README.md in pipelines/<POS> says what."
        ),
    ],
    day_starts_at: Annotated[
        str | None,
        typer.Option(
            help="When the business day begins, HH:MM in the shop's local time. Default: as it was, 00:00 "
            "for a new configuration."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Connect a tenant's POS account.

    The vendor says whose credentials they are and which shops the account has.

    The same account again revives its configuration, with the new credentials and name.
    """
    from pos_cli.commands.configurations import create_configuration
    from pos_cli.inputs import read_time_of_day

    day_start = read_time_of_day(day_starts_at, "--day-starts-at")
    create_configuration(tenant, pos, name, credentials, day_start, as_json)


@configurations_app.command("list", epilog="Example: pos configurations list --json")
def list_configurations(
    tenant: Annotated[UUID | None, typer.Option(help="Only this tenant's. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List configurations, disabled ones too, without credentials."""
    from pos_cli.commands.configurations import show_configurations

    show_configurations(tenant, as_json)


@configurations_app.command(
    "disable",
    epilog="Example: pos configurations disable 0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10 --reason 'shop sold'",
)
def disable_configuration(
    configuration: Annotated[UUID, typer.Argument(help="The configuration's id.")],
    reason: Annotated[str, typer.Option(help="Why; `pos status` shows it.")] = "disabled by hand",
    as_json: AsJson = False,
) -> None:
    """Stop syncing a configuration; its rows stay.

    `pos configurations create` with the same account revives it.
    """
    from pos_cli.commands.configurations import disable

    disable(configuration, reason, as_json)


@app.command(epilog="Example: pos sync --wait")
def sync(
    configuration: Annotated[
        list[UUID] | None,
        typer.Option(help="A configuration's id; may be repeated. Default: all active ones."),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="Wait for configurations that another run is syncing. Default: leave them to it."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read what is new from the vendors and bring the tables up to date.

    Runs in this process, whether or not the stack is up.

    Exits 4 when a configuration failed, and names it; the others are synced all the same.
    """
    from pos_cli.commands.documents import sync_now

    sync_now(configuration or [], wait, as_json)


@app.command(epilog="Example: pos backfill --from 2026-03-01 --to 2026-04-01")
def backfill(
    begin: Annotated[str, typer.Option("--from", help="Read again from this instant on, ISO 8601.")],
    end: Annotated[
        str | None, typer.Option("--to", help="Read again up to this instant, ISO 8601. Default: until now.")
    ] = None,
    configuration: Annotated[
        list[UUID] | None,
        typer.Option(help="A configuration's id; may be repeated. Default: all active ones."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a period again, the newest part first, while new sales go on coming in.

    The period counts as not read until it is: when this is interrupted, the next sync or schedule goes on
    where it ended. What has not changed is not stored again.

    Exits 4 when a configuration failed, and names it; the others are read all the same.
    """
    from pos_cli.commands.documents import backfill_now

    backfill_now(configuration or [], begin, end, as_json)


@app.command(epilog="Example: pos status --json")
def status(as_json: AsJson = False) -> None:
    """Show configurations, their last syncs, and documents that need somebody.

    Documents that cannot be used are listed with the reason, and whether the stack is up.
    """
    from pos_cli.commands.status import show_status

    show_status(as_json)


@app.command(
    epilog="Example: pos replay --configuration 0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10 --stream orders "
    "sent.json"
)
def replay(
    file: Annotated[Path, typer.Argument(help="JSON: one document, an array, or a vendor's search answer.")],
    configuration: Annotated[
        UUID, typer.Option(help="The id of the configuration whose documents they are.")
    ],
    stream: Annotated[
        str, typer.Option(help="The kind of document, such as orders; a wrong one has all of them listed.")
    ],
    read_at: Annotated[
        str | None,
        typer.Option(
            help="When the vendor gave them, ISO 8601. Default: unknown, so that they never replace what was "
            "read from the vendor in the same version."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take documents from a file, for what a customer sent to support.

    They are landed and normalised like any other; those that are there already are normalised again.
    """
    from pos_cli.commands.documents import replay_file

    replay_file(configuration, stream, file, read_at, as_json)


@app.command("database-url", epilog='Example: psql "$(pos database-url)"')
def database_url(as_json: AsJson = False) -> None:
    """Print the database's URL, for psql and others.

    An embedded server is started for it and stays until `pos down`.
    """
    from pos_cli.commands.database import print_database_url

    print_database_url(as_json)


def run() -> None:
    """Entry point: every failure is one line and its exit code."""
    from pos_cli.output import ReportedError, fail, print_json

    wants_json = "--json" in sys.argv
    try:
        with _signals_interrupt():
            code = app(standalone_mode=False)
    except (PosError, typer.TyperException) as error:
        failure = error
    except Exception as error:
        failure = _explained(error)
    else:
        if code == _INTERRUPTED:
            fail("interrupted")
        raise SystemExit(code if isinstance(code, int) else 0)
    message = failure.message if isinstance(failure, PosError) else failure.format_message()
    if message and wants_json and not isinstance(failure, ReportedError):
        print_json({"ok": False, "error": message})
    if message:
        fail(message)
    raise SystemExit(failure.exit_code)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """A polite request to end, or a closed terminal, stops a command like Ctrl-C: it tidies up first."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    for each, handler in before.items():
        if handler is signal.SIG_DFL:  # nohup has SIGHUP ignored
            signal.signal(each, _interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(*_signal: object) -> None:
    raise KeyboardInterrupt


def _explained(error: Exception) -> PosError:
    """What nobody foresaw, in one line; where it happened goes to a log, without any values."""
    from sqlalchemy.exc import InterfaceError, OperationalError

    from pos_core.settings import get_settings

    first = (str(getattr(error, "orig", None) or error).strip().splitlines() or [""])[0]
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseError(f"The database does not answer: {first}")
    reason = f"{type(error).__name__}: {first}"
    with suppress(OSError, PosError):
        log = get_settings().home_path / "logs" / "pos.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines([*traceback.format_tb(error.__traceback__), reason, "\n"])
        return PosError(f"Unexpected failure ({reason}); {log} says where.")
    return PosError(f"Unexpected failure ({reason}).")


if __name__ == "__main__":
    run()
