"""What a sync tells Dagster: one materialization and one check result per configuration and table."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetMaterialization,
    MetadataValue,
)
from sqlalchemy import Engine, text

from dagster_project.lib.specs import mart_key, mart_names, raw_key
from pipelines.registry import get_connector
from pipelines.sync import Outcome

SYNC_CHECK = "configuration_synced"


def materializations(
    outcome: Outcome, touched: int, net_sales: Mapping[UUID, "LatestSales"]
) -> Iterator[AssetMaterialization]:
    """What one configuration's sync made.

    The sales stream always, as the sign that it was asked; other tables only where something changed.
    """
    fetched, configuration = outcome.fetched, outcome.configuration
    if fetched is None:
        return
    connector = get_connector(configuration.pos_system)
    common = {"configuration": configuration.name, "tenant": str(configuration.tenant_id)}
    for stream in connector.streams:
        new, changed = fetched.news[stream.name, "new"], fetched.news[stream.name, "changed"]
        is_sales = stream.name == connector.sales_stream
        if not is_sales and not new and not changed:
            continue
        figures: dict[str, Any] = {**common, "new": new, "changed": changed}
        if is_sales:
            figures |= {
                connector.sales_stream: new + changed,
                "api_calls": fetched.counts.calls,
                "retries": fetched.counts.retries,
                "documents_skipped": fetched.counts.documents_skipped,
                "quarantined": fetched.counts.documents_quarantined,
            }
            if fetched.lag_seconds is not None:
                figures["lag_seconds"] = fetched.lag_seconds
        yield AssetMaterialization(
            asset_key=raw_key(configuration.pos_system, stream.name),
            partition=str(configuration.id),
            metadata=figures,
        )
    if not touched:
        return
    for name in mart_names():
        figures = {**common, "documents_normalised": touched}
        latest = net_sales.get(configuration.id)
        if name == "pos_transactions" and latest:
            figures |= latest.as_metadata()
        yield AssetMaterialization(mart_key(name), partition=str(configuration.id), metadata=figures)


def check(outcome: Outcome) -> AssetCheckEvaluation:
    """Whether a configuration could be read to the end, on its sales stream."""
    configuration = outcome.configuration
    connector = get_connector(configuration.pos_system)
    metadata: dict[str, Any] = {"configuration": configuration.name}
    if outcome.error:
        metadata["error"] = outcome.error
    return AssetCheckEvaluation(
        asset_key=raw_key(configuration.pos_system, connector.sales_stream),
        check_name=SYNC_CHECK,
        passed=outcome.status == "succeeded",
        severity=AssetCheckSeverity.ERROR,
        metadata={key: MetadataValue.text(str(value)) for key, value in metadata.items()},
        partition=str(configuration.id),
    )


class LatestSales:
    """The newest business day of a configuration, per currency; amounts in hundredths, for plots."""

    def __init__(self, business_date: date, net_sales: Mapping[str, Decimal]) -> None:
        self._business_date = business_date
        self._net_sales = net_sales

    def as_metadata(self) -> dict[str, Any]:
        """Whole hundredths, since Dagster plots integers and money never becomes a float."""
        figures: dict[str, Any] = {"business_date": str(self._business_date)}
        for currency, amount in self._net_sales.items():
            figures[f"net_sales_hundredths_{currency}"] = int(amount * 100)
        return figures


def latest_sales(engine: Engine, configuration_ids: Iterable[UUID]) -> dict[UUID, LatestSales]:
    """The net sales of each configuration's newest business day with revenue."""
    query = text("""
        with newest as (
            select configuration.id, configuration.tenant_id, (
                select max(business_date) from pos_transactions as t
                where t.tenant_id = configuration.tenant_id and t.configuration_id = configuration.id
                    and t.is_revenue
            ) as business_date
            from pos_configurations as configuration
            where configuration.id = any(:ids)
        )
        select newest.id, newest.business_date, t.currency, sum(t.net_sales_amount)
        from newest
        inner join pos_transactions as t
            on t.tenant_id = newest.tenant_id and t.business_date = newest.business_date
                and t.configuration_id = newest.id and t.is_revenue
        group by 1, 2, 3 order by 1, 3
    """)
    found: dict[UUID, tuple[date, dict[str, Decimal]]] = {}
    with engine.connect() as connection:
        rows: Iterable[Any] = connection.execute(query, {"ids": list(configuration_ids)})
        for configuration_id, business_date, currency, amount in rows:
            found.setdefault(configuration_id, (business_date, {}))[1][currency] = amount
    return {key: LatestSales(*value) for key, value in found.items()}
