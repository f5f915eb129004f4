"""Readers of the marts: logins of PostgreSQL, and the tenants that each sees."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from pos_cli.actor import command_line_actor
from pos_cli.commands.database import ask_a_superuser
from pos_cli.output import print_json, print_table, say
from pos_cli.setup import initialise
from pos_core.database.connect import database_address, embedded_server, get_engine
from pos_core.database.roles import quoted
from pos_core.repositories import readers

_STATES = {
    "ready": "ready",
    "missing": "no such role",
    "outside": "not in pos_reader",
}


def grant_tenants(name: str, tenants: Sequence[UUID], as_json: bool) -> None:
    """Lets a reader see tenants.

    Raises:
        ReaderError: the name is none, or its role may do more than a reader.
    """
    readers.check_name(name)
    initialise()
    with get_engine().begin() as connection:
        granted = readers.grant(connection, name, tenants, command_line_actor())
    url = replace(database_address(), user=name, password="", query=()).libpq()
    if as_json:
        print_json(
            {
                "ok": True,
                "reader": name,
                "granted": granted.tenants,
                "statements": granted.statements,
                "url": url,
                "hashes_with_scram": granted.hashes_with_scram,
            }
        )
    else:
        new, before = len(granted.tenants), len(set(tenants)) - len(granted.tenants)
        say(f"{name} may read these tenants ({new} new, {before} as before) at {url}")
    if granted.statements:
        ask_a_superuser(
            f"This user may not make {name} a reader. A superuser has to run:", granted.statements
        )
    if not as_json:
        _tell_of_the_password(name, granted.hashes_with_scram)


def revoke_tenants(name: str, tenants: Sequence[UUID] | None, as_json: bool) -> None:
    """Takes tenants, or all, from a reader.

    Raises:
        ReaderError: the name is none.
    """
    readers.check_name(name)
    initialise()
    with get_engine().begin() as connection:
        revoked = readers.revoke(connection, name, tenants or None, command_line_actor())
    if as_json:
        print_json({"ok": True, "reader": name, "revoked": revoked})
    elif revoked:
        say(f"{len(revoked)} tenants were taken from {name}; its login stays.")
    else:
        say(f"{name} was not granted any of them; nothing has changed.")


def show_readers(as_json: bool) -> None:
    """Lists readers and their tenants."""
    initialise()
    with get_engine().connect() as connection:
        found = readers.listed(connection)
    if as_json:
        print_json([vars(each) for each in found])
    elif not found:
        say("No readers yet; `pos readers grant` makes one.")
    else:
        rows = [
            (each.name, _STATES[each.state], tenant)
            for each in found
            for tenant in ([str(tenant) for tenant in each.tenants] or ["none"])
        ]
        print_table(("reader", "login", "tenant"), rows)


def _tell_of_the_password(name: str, hashes_with_scram: bool) -> None:
    if embedded_server() is not None:
        say("It needs no password: the embedded server's socket is private to this user and trusts it.")
        return
    if not hashes_with_scram:
        say(
            "This server would keep its password as md5: first, in psql, "
            "set password_encryption = 'scram-sha-256';"
        )
    say(f"Set its password in psql: \\password {quoted(name)}")
