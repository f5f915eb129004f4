"""The command line for operators: encryption keys, and readers of the marts."""

from typing import Annotated
from uuid import UUID

import typer

from pos_cli.inputs import AsJson

keys_app = typer.Typer(
    help="Change the key that seals credentials, while everything runs.\n\nPOS_ENCRYPTION_KEYS holds the "
    "keys: the first seals, all open. docs/operations.md has the steps.",
    no_args_is_help=True,
)
readers_app = typer.Typer(
    help="Let other programs read some tenants' sales from the database.\n\nA reader is a login of "
    "PostgreSQL that sees the rows of the tenants it was granted in the normalised tables, and nothing else.",
    no_args_is_help=True,
)

ReaderName = Annotated[str, typer.Argument(help="The name of its login in PostgreSQL.")]


@keys_app.command("new", epilog="Example: pos keys new")
def new(as_json: AsJson = False) -> None:
    """Print a key that nobody had before, for POS_ENCRYPTION_KEYS.

    Nothing is stored. Whoever has it can open what it will seal.
    """
    from pos_cli.commands.keys import print_new_key

    print_new_key(as_json)


@keys_app.command("rotate", epilog="Example: pos keys rotate --json")
def rotate(as_json: AsJson = False) -> None:
    """Seal everything anew with the first key of POS_ENCRYPTION_KEYS.

    Syncs, renewals and the API go on meanwhile. Safe to interrupt, to repeat, and to run twice at once.

    Exits 3 when credentials did not open, and lists their configurations; the others are done all the same.
    """
    from pos_cli.commands.keys import rotate_keys

    rotate_keys(as_json)


@keys_app.command("status", epilog="Example: pos keys status")
def status(as_json: AsJson = False) -> None:
    """Show which key sealed how much, and which are needed no more."""
    from pos_cli.commands.keys import show_keys

    show_keys(as_json)


@readers_app.command(
    "grant", epilog="Example: pos readers grant sales --tenant 5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11"
)
def grant(
    name: ReaderName,
    tenant: Annotated[list[UUID], typer.Option(help="A tenant's id; may be repeated.")],
    as_json: AsJson = False,
) -> None:
    """Let a reader see tenants; makes its login where it is missing.

    Where this user may not create roles, it prints what a superuser has to run.
    """
    from pos_cli.commands.readers import grant_tenants

    grant_tenants(name, tenant, as_json)


@readers_app.command(
    "revoke", epilog="Example: pos readers revoke sales --tenant 5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11"
)
def revoke(
    name: ReaderName,
    tenant: Annotated[
        list[UUID] | None, typer.Option(help="A tenant's id; may be repeated. Default: all it has.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take tenants from a reader, at once.

    Its login stays; without a tenant it sees nothing.
    """
    from pos_cli.commands.readers import revoke_tenants

    revoke_tenants(name, tenant, as_json)


@readers_app.command("list", epilog="Example: pos readers list --json")
def list_readers(as_json: AsJson = False) -> None:
    """List readers and the tenants they see."""
    from pos_cli.commands.readers import show_readers

    show_readers(as_json)
