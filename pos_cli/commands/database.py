"""The database: making it ready, and telling where it is."""

from pos_cli.output import print_json, progress, say
from pos_cli.setup import Ready, dagster_environment, initialise
from pos_core.database.connect import database_address, embedded_server, get_engine


def initialise_all(as_json: bool) -> None:
    """Tables, Dagster's storage and the marts."""
    with progress("Preparing the database"):
        ready = initialise()
        dagster_environment(ready)
        normalise_now(ready)
    if as_json:
        print_json({"ok": True, "home": str(ready.home), "migrated": ready.migrated})
    else:
        say(f"Ready: state in {ready.home}, database {ready.address.database} at {ready.address.host}.")


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
