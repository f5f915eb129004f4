"""Shops of a sandbox that keep selling, and what the database must say of them whatever happened."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from pipelines.registry import get_connector
from pos_cli.commands.configurations import connect_account
from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import accounts, control, sandbox_environment
from pos_core.database.connect import close_database
from pos_core.database.raw import raw_schema
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings

_SECRET = "till:of-the-sandbox"
_NOBODY = "http://127.0.0.1:9"  # no run is launched: what is drained is drained by who is to die
_SOLD_BEFORE = timedelta(minutes=5)  # a till's own time of a sale is a little earlier
_PAUSE_SECONDS = 3 * 3600  # longer than reads overlap, so that only the ledger says what to read again
_POLL_SECONDS = 0.01
# Where every location of an account was read completely around an instant.
_IS_COVERED = """
    select count(*) > 0 and bool_and(exists (
        select from pos_sync_windows as w
        where w.configuration_id = l.configuration_id and w.stream = :stream
            and w.external_location_id in ('', l.external_location_id)
            and w.window_from <= :since and w.window_to > :until
    ))
    from pos_configuration_locations as l where l.configuration_id = :id
"""


@dataclass(frozen=True)
class Sold:
    """What an account sold at one time, by the vendor's clock."""

    configuration: Configuration
    external_ids: tuple[str, ...]
    at: datetime


@dataclass
class Shops:
    """All accounts of a sandbox, connected.

    Args:
        url: of the sandbox.
        service: the address that webhooks go to; none are sent where it is empty.
        claims: how often the ledger said that a sale had been read.
    """

    engine: Engine
    url: str
    service: str = ""
    configurations: dict[str, Configuration] = field(default_factory=dict)
    sold: list[Sold] = field(default_factory=list)
    claims: int = 0

    @property
    def ids(self) -> list[UUID]:
        """Of the configurations."""
        return [each.id for each in self.configurations.values()]

    def connect(self) -> None:
        """Makes a configuration of each account, and has the vendors tell the service of changes."""
        for account in accounts(self.url):
            self._connect(account)
            if self.service:
                self._listen(self.configurations[account["account_id"]])

    def _connect(self, account: dict[str, Any]) -> None:
        given = dict(account["credentials"])
        if _has_own_secret(account["pos_system"]) and self.service:
            given["webhook_secret"] = _SECRET
        tenant = UUID(account["tenant_id"])
        configuration, _ = connect_account(tenant, account["pos_system"], account["name"], given)
        self.configurations[account["account_id"]] = configuration

    def _listen(self, configuration: Configuration) -> None:
        name = configuration.pos_system
        url = f"{self.service}/api/v1/webhooks/{name}"
        order: dict[str, Any] = {"pos_system": name, "url": url, "secret": _SECRET}
        if _has_own_secret(name):
            order |= {"url": f"{url}/{configuration.id}", "merchant_id": configuration.account_id}
        control(self.url, "POST", "webhooks", order)

    def reconnect(self) -> None:
        """Renews the tokens that work once, as a new login does.

        To die between the vendor's answer to a renewal and its commit loses such a connection for good, since
        the vendor has forgotten the token before; so nothing is to be renewed while something dies.
        """
        for account in accounts(self.url):
            if "refresh_token" in account["credentials"]:
                self._connect(account)

    def trade(self, count: int = 1) -> None:
        """Hours pass; then the accounts sell and change, and those who are told of it have been told."""
        control(self.url, "POST", "clock", {"advance_seconds": _PAUSE_SECONDS})
        self.sell(count)
        self.reconnect()
        self.told()

    def told(self) -> None:
        """Waits until the vendors have told the service of all that has happened."""
        if self.service:
            control(self.url, "GET", "webhooks?wait_seconds=30")

    def sell(self, count: int = 1) -> None:
        """Each account sells, and changes something that it sold before; then a minute passes."""
        at = datetime.fromisoformat(control(self.url, "GET", "clock")["now"])
        for account_id, configuration in self.configurations.items():
            order = {"merchant_id": account_id, "count": count}
            created = control(self.url, "POST", "sell", order)["created"]
            control(self.url, "POST", "change", {"merchant_id": account_id})
            self.sold.append(Sold(configuration, tuple(created), at))
        control(self.url, "POST", "clock", {"advance_seconds": 60})

    def unread(self) -> list[str]:
        """Sales in windows that count as read and that raw does not have; none is the aim."""
        found: list[str] = []
        with self.engine.connect() as connection:
            claimed = [each for each in self.sold if _is_covered(connection, each)]
            for each in claimed:
                found += [
                    f"{key} counts as read"
                    for key in each.external_ids
                    if not _is_landed(connection, each, key)
                ]
        self.claims += len(claimed)
        self.sold = [each for each in self.sold if each not in claimed]  # raw only grows
        return found

    def repeated(self) -> list[str]:
        """Versions that complete loads hold more than once; none is the aim."""
        found: list[str] = []
        with self.engine.connect() as connection:
            for pos_system in sorted({each.pos_system for each in self.configurations.values()}):
                schema = raw_schema(pos_system)
                query = text(f"""
                    select r.external_id
                    from {schema}."{get_connector(pos_system).sales_stream}" as r
                    inner join {schema}._dlt_loads as l on l.load_id = r._dlt_load_id and l.status = 0
                    group by r.configuration_id, r.external_id, r.content_hash having count(*) > 1
                """)
                keys: Iterable[str] = connection.execute(query).scalars()
                found += [f"{key} was landed twice" for key in keys]
        return found

    def differences(self) -> list[str]:
        """What the tables have other than the shops sold; none is the aim."""
        return compare(self.engine, control(self.url, "GET", "truth"))

    def settle(self) -> None:
        """Waits until the server has noticed that a process was killed, and let go of what it held."""
        query = text("""
            select exists (
                select from pg_locks where locktype = 'advisory' and database = (
                    select oid from pg_database where datname = current_database()
                )
            )
        """)
        while True:
            with self.engine.connect() as connection:
                if not connection.execute(query).scalar_one():
                    return
            time.sleep(_POLL_SECONDS)

    def forgive_events(self) -> None:
        """Events that wait for another attempt are due."""
        with self.engine.begin() as connection:
            connection.execute(
                text("update pos_webhook_logs set available_at = now() where outcome = 'pending'")
            )


def _has_own_secret(pos_system: str) -> bool:
    return "configuration" in get_connector(pos_system).webhook.scopes


def settings_of(url: str, service: str = "") -> dict[str, str]:
    """What the environment has to say: a sandbox is the vendors, and this service is told of changes."""
    told = {"WEBHOOK_BASE_URL": service, "WEBHOOK_SECRET": _SECRET, "POS_DAGSTER_URL": _NOBODY}
    return sandbox_environment(url) | (told if service else {})


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with these variables, for as long as the block runs."""
    before = dict(os.environ)
    os.environ.update(variables)
    get_settings.cache_clear()
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]
        get_settings.cache_clear()


@contextmanager
def own_database() -> Iterator[Path]:
    """A POS_HOME of its own for as long as the block runs, so that a database holds these shops alone."""
    with (
        TemporaryDirectory(prefix="pos-bench-", ignore_cleanup_errors=True) as home,
        environment({"POS_HOME": home}),
    ):
        close_database()
        try:
            yield Path(home)
        finally:
            close_database()


def _is_covered(connection: Connection, sold: Sold) -> bool:
    configuration = sold.configuration
    parameters = {
        "id": configuration.id,
        "stream": get_connector(configuration.pos_system).sales_stream,
        "since": sold.at - _SOLD_BEFORE,
        "until": sold.at,
    }
    return bool(connection.execute(text(_IS_COVERED), parameters).scalar_one())


def _is_landed(connection: Connection, sold: Sold, external_id: str) -> bool:
    """By its name in the document: some vendors give documents another id than transactions."""
    configuration = sold.configuration
    schema = raw_schema(configuration.pos_system)
    query = text(f"""
        select exists (
            select from {schema}."{get_connector(configuration.pos_system).sales_stream}" as r
            inner join {schema}._dlt_loads as l on l.load_id = r._dlt_load_id and l.status = 0
            where r.configuration_id = :id and position(:external_id in r.payload::text) > 0
        )
    """)
    parameters = {"id": str(configuration.id), "external_id": external_id}
    return bool(connection.execute(query, parameters).scalar_one())
