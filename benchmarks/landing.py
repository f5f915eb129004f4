"""Landing documents of the sandbox by dlt, and all that comes before it, against a plain COPY of the same."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.machine import Figure, Measured, measured
from benchmarks.sandboxes import made_up_shops
from benchmarks.shops import own_database
from pipelines.connector import Connector, Page, ReadRequest
from pipelines.credentials import StoredKeeper
from pipelines.documents import Landable, prepare
from pipelines.fetch import Fetched, take_page
from pipelines.landing import land, make_batch
from pipelines.registry import connectors
from pipelines.windows import Plan
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_cli.setup import Ready, initialise
from pos_core.database.connect import get_engine
from pos_core.database.raw import CONTENT_COLUMNS, raw_schema
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import load_vault

_PER_BATCH = 500
_MOST_FOR_ALL, _MOST_FOR_LOADING = 2, 1.5


def measure_landing(count: int) -> list[Measured]:
    """Sales documents of each POS: copied, loaded, and taken from the vendor's pages to the raw table.

    Args:
        count: of documents per POS.
    """
    rows: list[Measured] = []
    with own_database() as home, made_up_shops(home, 1, count) as url:
        ready = initialise()
        os.environ.update(sandbox_environment(url))
        for _, configuration in connect_accounts(url):
            connector = connectors()[configuration.pos_system]
            rows += _landed(ready, connector, configuration, len(rows) // 3 + 1)
    return rows


def _landed(ready: Ready, connector: Connector, configuration: Configuration, number: int) -> list[Measured]:
    pages = _pages(connector, configuration)
    prepared = [
        prepare(connector, page.stream, each, page.read_at) for page in pages for each in page.documents
    ]
    documents = [each for each in prepared if isinstance(each, Landable)]
    count, data = len(documents), ready.home / "postgres"
    with measured(f"system {number}: plain COPY", count, "documents", data) as copied:
        _copy(ready, connector, configuration, documents)
    with measured(f"system {number}: the load alone", count, "documents", data) as loaded:
        _load(ready, connector, configuration, documents)
    with measured(f"system {number}: stripped, hashed, looked up, loaded", count, "documents", data) as taken:
        _take(ready, connector, configuration, pages)
    for each, most in ((loaded, _MOST_FOR_LOADING), (taken, _MOST_FOR_ALL)):
        each.figures = [
            Figure("CPU", (each.cpu_seconds or 0) / (copied.cpu_seconds or 1), "times", below=most),
            Figure("wall", each.wall_seconds / copied.wall_seconds, "times", below=most),
        ]
    return [copied, loaded, taken]


def _pages(connector: Connector, configuration: Configuration) -> list[Page]:
    """The pages of sales of a first sync; what is on two of them is on the first alone."""
    assert configuration.history_from is not None
    keeper = StoredKeeper(get_engine(), load_vault(get_settings()), configuration)
    pages, seen = [], set()
    with connector.open_http(configuration.base_url, keeper) as http:
        plan = Plan(configuration.history_from)
        request = ReadRequest(configuration.id, configuration.account_id, keeper.current, http, plan)
        for event in connector.read(request):
            if not isinstance(event, Page) or event.stream != connector.sales_stream:
                continue
            new = []
            for document in event.documents:
                external_id = connector.identify(event.stream, document).external_id
                if external_id not in seen:
                    seen.add(external_id)
                    new.append(document)
            pages.append(replace(event, documents=new))
    return pages


def _copy(
    ready: Ready, connector: Connector, configuration: Configuration, documents: Sequence[Landable]
) -> None:
    """Into a table like the raw one, with its indexes, by psycopg's own COPY."""
    like = f'{raw_schema(connector.pos_system)}."{connector.sales_stream}"'
    columns = ", ".join((*CONTENT_COLUMNS, "_dlt_load_id"))
    with psycopg.connect(ready.address.libpq()) as connection:
        connection.execute(f"create table copied_{connector.pos_system} (like {like} including all)".encode())
        statement = f"copy copied_{connector.pos_system} ({columns}) from stdin"
        with connection.cursor().copy(statement.encode()) as copy:
            for each in documents:
                identity = each.identity
                row = (
                    configuration.tenant_id, configuration.id, identity.external_id, identity.version,
                    identity.updated_at, each.content_hash, "poll", each.read_at, configuration.created_at,
                    each.text, "0",
                )  # fmt: skip
                copy.write_row(row)


def _load(
    ready: Ready, connector: Connector, configuration: Configuration, documents: Sequence[Landable]
) -> None:
    """Under an id of its own, so that the documents are still new to the configuration."""
    stream, owner = connector.sales_stream, uuid4()
    batches = (
        make_batch(configuration.tenant_id, owner, stream, "poll", documents[at : at + _PER_BATCH])
        for at in range(0, len(documents), _PER_BATCH)
    )
    land(ready.address, connector.pos_system, batches, _folder(ready))


def _take(ready: Ready, connector: Connector, configuration: Configuration, pages: Sequence[Page]) -> None:
    engine = get_engine()
    fetched = Fetched(configuration, uuid4(), "poll")
    batches = (batch for page in pages for batch in take_page(engine, connector, fetched, page))
    land(ready.address, connector.pos_system, batches, _folder(ready))


def _folder(ready: Ready) -> Path:
    return ready.home / "work"
