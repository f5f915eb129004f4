"""What tests put into the sandbox, and what they look up in the database."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration, NewConfiguration
from sandbox.square.driver import Driver
from tests.conftest import Project


def inject(sandbox: Driver, document: object, stream: str = "orders", account: int = 0) -> None:
    """Puts a document into what a stream answers; text goes as it is."""
    text = document if isinstance(document, str) else json.dumps(document)
    query = {"merchant_id": sandbox.merchant_id(account), "stream": stream}
    sandbox.http.post("/_sandbox/inject", params=query, content=text).raise_for_status()


def order(sandbox: Driver, key: str, account: int = 0, **changes: Any) -> dict[str, Any]:
    """A small order that adds up."""
    money = {"amount": 450, "currency": "USD"}
    zero = {"amount": 0, "currency": "USD"}
    line = {
        "uid": "line", "name": "Rye", "quantity": "1", "base_price_money": money, "gross_sales_money": money,
        "total_money": money, "total_tax_money": zero, "total_discount_money": zero,
    }  # fmt: skip
    return {
        "id": key, "location_id": sandbox.locations(account)[0], "state": "COMPLETED", "version": 1,
        "created_at": "2026-04-12T09:00:00Z", "updated_at": "2026-04-12T09:05:00Z",
        "closed_at": "2026-04-12T09:05:00Z", "line_items": [line], "total_money": money,
        "total_tax_money": zero, "total_discount_money": zero, "total_tip_money": zero, **changes,
    }  # fmt: skip


def fault(sandbox: Driver, kind: str, path: str = "/", **more: Any) -> None:
    """Has the sandbox misbehave."""
    sandbox.control("faults", {"kind": kind, "path": path, **more})


def no_faults(sandbox: Driver) -> None:
    """Has the sandbox behave again."""
    sandbox.http.delete("/_sandbox/faults").raise_for_status()


def calls(sandbox: Driver, path: str) -> int:
    """How often a path of the vendor's was asked since the counts were cleared."""
    listed = sandbox.http.get("/_sandbox/calls").json()
    return sum(int(each["count"]) for each in listed if each["path"] == path)


def windows(project: Project, configuration: Configuration) -> list[dict[str, Any]]:
    """The ledger of a configuration, without when it was read again."""
    return project.rows(
        "select stream, external_location_id, window_from, window_to from pos_sync_windows"
        " where configuration_id = :id and stream not like '%\\_reread' order by 1, 2, 3",
        id=configuration.id,
    )


def log(project: Project, configuration: Configuration) -> dict[str, Any]:
    """The newest row of a configuration's sync log."""
    return project.rows(
        "select * from pos_sync_logs where configuration_id = :id order by started_at desc limit 1",
        id=configuration.id,
    )[0]


def open_quarantine(project: Project) -> list[dict[str, Any]]:
    """The documents that are set aside."""
    return project.rows(
        "select * from pos_quarantined_documents where resolved_at is null order by stream, external_id"
    )


@contextmanager
def refusing(
    project: Project, table: str, condition: str = "true", code: str = "raise_exception"
) -> Iterator[None]:
    """The database refuses rows of a table with an error of a certain code."""
    project.execute(
        "create function public.pos_refuse() returns trigger language plpgsql as $$ begin "
        f"if {condition} then raise exception 'refused for a test' using errcode = '{code}'; end if; "
        "return new; end $$"
    )
    project.execute(
        f"create trigger refuse before insert on {table} for each row execute function public.pos_refuse()"
    )
    try:
        yield
    finally:
        project.execute("drop function public.pos_refuse() cascade")


@contextmanager
def constraint(project: Project, table: str, condition: str) -> Iterator[None]:
    """The database refuses rows of a mart that do not fulfil a condition."""
    project.execute(f"alter table {table} add constraint pos_for_a_test check ({condition}) not valid")
    try:
        yield
    finally:
        project.execute(f"alter table {table} drop constraint if exists pos_for_a_test")


def as_tenants(project: Project, configuration: Configuration, count: int) -> list[Configuration]:
    """The same account, connected by so many tenants."""
    made = []
    with project.engine.begin() as connection:
        credentials = configurations.open_credentials(connection, project.vault, configuration)
        for number in range(count):
            new = NewConfiguration(
                tenant_id=uuid4(),
                pos_system=configuration.pos_system,
                name=f"Bakery {number}",
                account_id=configuration.account_id,
                account_name="Bakery",
                base_url=configuration.base_url,
                history_from=configuration.history_from or configuration.created_at,
                locations=[],
                sync_interval_seconds=300,
            )
            one, _ = configurations.create_or_revive(
                connection, project.vault, new, credentials, Actor("test")
            )
            made.append(one)
    return made
