"""What a sync tells Dagster: one materialization and one check result per configuration and table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    DagsterEvent,
)
from dagster._core.events import DagsterEventBatchMetadata
from sqlalchemy import Engine, text

from dagster_project.lib.specs import mart_key, mart_names, raw_key
from pipelines.connector import Connector
from pipelines.fetch import Fetched
from pipelines.registry import get_connector
from pipelines.sync import Outcome, Report
from pos_core.health import LastSync, of_sync

SYNC_CHECK = "configuration_synced"


@dataclass(frozen=True)
class Figures:
    """What one configuration's sync made, as materializations of its partition.

    Args:
        is_landed: what was fetched is in the raw tables.
        touched: documents that were normalised.
        latest: the net sales of its newest business day.
    """

    outcome: Outcome
    is_landed: bool
    touched: int
    latest: "LatestSales | None"

    def all(self) -> Iterator[AssetMaterialization]:
        """Every table, changed or not."""
        for stream in self._connector.streams:
            yield self._raw(stream.name)
        for name in mart_names():
            yield self._mart(name)

    def changed(self) -> Iterator[AssetMaterialization]:
        """The tables that changed, and the sales stream as the sign that it was read to its end.

        A failed sync leaves that sign out, though it may have landed a part.
        """
        for stream in self._connector.streams:
            is_read = stream.name == self._connector.sales_stream and not self.outcome.error
            is_changed = stream.name != self._connector.sales_stream and sum(self._news(stream.name)) > 0
            if is_read or is_changed:
                yield self._raw(stream.name)
        if self.touched:
            for name in mart_names():
                yield self._mart(name)

    @property
    def _connector(self) -> Connector:
        return get_connector(self.outcome.configuration.pos_system)

    @property
    def _common(self) -> dict[str, Any]:
        configuration = self.outcome.configuration
        return {"configuration": configuration.name, "tenant": str(configuration.tenant_id)}

    def _news(self, stream: str) -> tuple[int, int]:
        """New and changed documents that were landed."""
        fetched = self.outcome.fetched
        if fetched is None or not self.is_landed:
            return 0, 0
        return fetched.news[stream, "new"], fetched.news[stream, "changed"]

    def _raw(self, stream: str) -> AssetMaterialization:
        new, changed = self._news(stream)
        figures = {**self._common, "new": new, "changed": changed}
        fetched = self.outcome.fetched
        if stream == self._connector.sales_stream and fetched is not None:
            figures |= {
                stream: new + changed,
                "api_calls": fetched.counts.calls,
                "retries": fetched.counts.retries,
                "documents_skipped": fetched.counts.documents_skipped,
                "quarantined": fetched.counts.documents_quarantined,
                "unknown_values": sum(fetched.counts.unknown_values.values()),
            }
            if fetched.lag_seconds is not None:
                figures["lag_seconds"] = fetched.lag_seconds
        return self._materialization(raw_key(self._connector.pos_system, stream), figures)

    def _mart(self, name: str) -> AssetMaterialization:
        figures = {**self._common, "documents_normalised": self.touched}
        if name == "pos_transactions" and self.latest:
            figures |= self.latest.as_metadata()
        return self._materialization(mart_key(name), figures)

    def _materialization(self, key: AssetKey, figures: dict[str, Any]) -> AssetMaterialization:
        return AssetMaterialization(key, partition=str(self.outcome.configuration.id), metadata=figures)


def write_at_once(
    context: AssetExecutionContext, materializations: Iterable[AssetMaterialization]
) -> list[DagsterEvent]:
    """Records the materializations of many partitions, in one statement per asset where the storage can.

    Dagster collects them when DAGSTER_EVENT_BATCH_SIZE is set. One by one each takes two transactions.

    Returns:
        The events, for the asset to yield; they are recorded already.
    """
    step = context.get_step_execution_context()
    by_asset: dict[AssetKey, list[AssetMaterialization]] = {}
    for each in materializations:
        by_asset.setdefault(each.asset_key, []).append(each)
    # The storage notes one asset per batch as materialized, that of its last event.
    return [
        DagsterEvent.asset_materialization(step, each, DagsterEventBatchMetadata(batch, each is some[-1]))
        for batch, some in ((str(uuid4()), some) for some in by_asset.values())
        for each in some
    ]


def check(outcome: Outcome) -> AssetCheckEvaluation:
    """Whether a configuration could be read to the end, on its sales stream."""
    configuration, fetched = outcome.configuration, outcome.fetched
    connector = get_connector(configuration.pos_system)
    metadata: dict[str, Any] = {"configuration": configuration.name, "state": outcome.status}
    if outcome.error:
        metadata["error"] = outcome.error
    if fetched is not None:
        metadata |= {
            "said": of_sync(connector.title, _as_last(outcome.status, fetched)).message,
            "api_calls": fetched.counts.calls,
            "retries": fetched.counts.retries,
        }
    return AssetCheckEvaluation(
        asset_key=raw_key(configuration.pos_system, connector.sales_stream),
        check_name=SYNC_CHECK,
        passed=outcome.status == "succeeded",
        severity=check_severity(outcome.status),
        metadata=metadata,
        partition=str(configuration.id),
    )


def check_severity(status: str) -> AssetCheckSeverity:
    """How bad it is that a sync did not succeed; that its vendor is down is not the configuration's fault."""
    return AssetCheckSeverity.WARN if status == "postponed" else AssetCheckSeverity.ERROR


def run_tags(report: Report) -> dict[str, str]:
    """How many configurations a run had, how many failed or had to wait: the list of runs shows tags."""
    tags = {"pos/configurations": str(len(report.outcomes))}
    if report.failed:
        tags["pos/failed"] = str(len(report.failed))
    if report.postponed:
        tags["pos/postponed"] = str(len(report.postponed))
    return tags


def _as_last(status: str, fetched: Fetched) -> LastSync:
    error_class, error = fetched.error or (None, None)
    return LastSync(
        status=status,
        read_until=fetched.read_until,
        documents_read=fetched.counts.documents_read,
        documents_new=fetched.counts.documents_new,
        documents_changed=fetched.counts.documents_changed,
        error_class=error_class,
        error=error,
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
