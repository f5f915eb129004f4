"""`pos webhooks`: what is typed; what it does is in `pos_cli.commands.webhooks`."""

from typing import Annotated

import typer

webhooks_app = typer.Typer(
    help="Have the vendors tell of changes as they happen.\n\nThe address that they send to is "
    "WEBHOOK_BASE_URL with /api/v1/webhooks/<POS> behind it. Where a vendor has an API for it, a running "
    "stack registers by itself once an account is connected; otherwise `register` says what to enter where.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value, also on failure.")]
Pos = Annotated[str, typer.Argument(help="The POS system.")]


@webhooks_app.command(
    "register", epilog="Example: WEBHOOK_BASE_URL=https://pos.example.com pos webhooks register POS"
)
def register(pos: Pos, as_json: AsJson = False) -> None:
    """Have a vendor send its events here, or say what to enter by hand.

    Safe to repeat: it finds the subscription again, mends its address, types and key, and enables it.
    """
    from pos_cli.commands.webhooks import register_webhooks

    register_webhooks(pos, as_json)


@webhooks_app.command("rotate", epilog="Example: pos webhooks rotate POS")
def rotate(pos: Pos, as_json: AsJson = False) -> None:
    """Replace the key with which a vendor signs.

    The key before is accepted for three days more, for events that are sent again.
    """
    from pos_cli.commands.webhooks import rotate_key

    rotate_key(pos, as_json)


@webhooks_app.command("test", epilog="Example: pos webhooks test POS --json")
def send_test(pos: Pos, as_json: AsJson = False) -> None:
    """Have a vendor send a test event, and say how it was answered here.

    Exits 4 when it was not accepted.
    """
    from pos_cli.commands.webhooks import try_webhooks

    try_webhooks(pos, as_json)


@webhooks_app.command("status", epilog="Example: pos webhooks status --json")
def status(
    pos: Annotated[str | None, typer.Argument(help="The POS system. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show whether webhooks are registered and what became of them.

    What came, how fast, what waits, and which changes no webhook told of.
    """
    from pos_cli.commands.webhooks import show_webhooks

    show_webhooks(pos, as_json)
