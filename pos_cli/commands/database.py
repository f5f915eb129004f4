"""The database: making it ready, and telling where it is."""

import sys
from collections.abc import Sequence

from pos_cli.output import print_json, progress, say
from pos_cli.setup import Ready, dagster_environment, initialise
from pos_core.database.connect import database_address, embedded_server, get_engine
from pos_core.database.migrate import missing_roles


def initialise_all(as_json: bool) -> None:
    """Tables, Dagster's storage and the marts."""
    with progress("Preparing the database"):
        ready = initialise()
        dagster_environment(ready)
        normalise_now(ready)
        missing = missing_roles(get_engine())
    if as_json:
        print_json(
            {"ok": True, "home": str(ready.home), "migrated": ready.migrated, "missing_roles": missing}
        )
    else:
        say(f"Ready: state in {ready.home}, database {ready.address.database} at {ready.address.host}.")
    if missing:
        ask_a_superuser(
            "This user may not create roles, which the HTTP service and readers need. A superuser has to run "
            "these statements, and you `pos init` again:",
            missing,
        )


def ask_a_superuser(sentence: str, statements: Sequence[str]) -> None:
    """Statements for somebody with more rights, on standard error, ready to be copied."""
    print(sentence, *(f"{each};" for each in statements), sep="\n", file=sys.stderr, flush=True)


def normalise_now(ready: Ready) -> None:
    """Builds the marts when they are missing or their models changed, and takes in what is pending."""
    from pipelines.normalise import normalise

    normalise(get_engine(), ready.address, ready.home / "dbt")


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
