"""Runs jobs in this process, as Dagster runs that the UI shows like any other."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import ARRAY, Column, Label, Text, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from pipelines.requests import SYNC_JOB, SYNC_OP
from pos_cli.setup import Ready, enter_dagster
from pos_core.database.connect import get_engine
from pos_core.database.tables import configurations, sync_logs
from pos_core.errors import PosError

_PROCESS_TAG = "pos/process"
_COUNTS = ("documents_landed", "documents_skipped", "documents_quarantined")
_NO_TIMEOUT = 0
_RECYCLE_SECONDS = 3600
_MORE_CONNECTIONS = 5


class RunFailedError(PosError):
    """A run ended for a reason of its own, not of one configuration."""


@dataclass(frozen=True)
class SyncResult:
    """How the sync of one configuration ended."""

    configuration_id: UUID
    name: str
    status: str
    landed: int
    skipped: int
    quarantined: int
    error: str | None


@dataclass(frozen=True)
class Run:
    """A run that succeeded, and how its asset checks came out."""

    run_id: str
    checks: dict[str, int]


def run_sync(
    ready: Ready,
    ids: Sequence[UUID],
    config: Mapping[str, Any] | None = None,
) -> list[SyncResult]:
    """Syncs configurations in one Dagster run in this process.

    Args:
        config: what else the run is told, as the job's own configuration takes it.

    Raises:
        RunFailedError: the run itself failed.
    """
    told = {"configuration_ids": [str(each) for each in ids], **(config or {})}
    run_id = run_job(ready, SYNC_JOB, {"ops": {SYNC_OP: {"config": told}}}).run_id
    of_run = (
        select(
            sync_logs.c.configuration_id,
            _last(sync_logs.c.status),
            _last(sync_logs.c.error),
            *(func.sum(sync_logs.c[name]).label(name) for name in _COUNTS),
        )
        .where(sync_logs.c.run_id == run_id)
        .group_by(sync_logs.c.configuration_id)
        .subquery()
    )
    query = (
        select(
            configurations.c.id,
            configurations.c.name,
            (configurations.c.status == "disabled").label("is_disabled"),
            configurations.c.status_reason,
            of_run.c.status,
            of_run.c.error,
            *(of_run.c[name] for name in _COUNTS),
        )
        .join_from(configurations, of_run, of_run.c.configuration_id == configurations.c.id, isouter=True)
        .where(configurations.c.id.in_(list(ids)))
        .order_by(configurations.c.name)
    )
    with get_engine().connect() as connection:
        return [_result(row) for row in connection.execute(query)]


def _last(column: Column[Any]) -> Label[Any]:
    """What the newest of a configuration's logs says."""
    values = func.array_agg(aggregate_order_by(column, sync_logs.c.started_at.desc()), type_=ARRAY(Text))
    return values[1].label(column.name)


def _result(row: Any) -> SyncResult:
    """What the log says of a configuration; nothing is there when another run had it, or it is disabled."""
    status, error = row.status, row.error
    if status is None and row.is_disabled:
        status, error = "failed", f"{row.name} is disabled: {row.status_reason}."
    return SyncResult(
        configuration_id=row.id,
        name=row.name,
        status=status or "busy",
        landed=row.documents_landed or 0,
        skipped=row.documents_skipped or 0,
        quarantined=row.documents_quarantined or 0,
        error=error,
    )


def load_jobs(ready: Ready) -> Any:
    """The Dagster project's definitions; the first call takes seconds, for Dagster and dbt are big."""
    enter_dagster(ready)
    from dagster_project.definitions import defs

    return defs


def run_job(ready: Ready, name: str, run_config: Mapping[str, Any] | None = None) -> Run:
    """Runs a job of the Dagster project in this process.

    Raises:
        RunFailedError: the run failed; the message is its first error.
    """
    defs = load_jobs(ready)
    from dagster import DagsterInstance

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with DagsterInstance.get() as instance:
        # As in the webserver connections are kept; else Dagster's storage connects anew for each event.
        instance.optimize_for_webserver(_NO_TIMEOUT, _RECYCLE_SECONDS, _MORE_CONNECTIONS)
        _close_dead_runs(instance)
        result = defs.resolve_job_def(name).execute_in_process(
            run_config={**quiet, **(run_config or {})},
            instance=instance,
            tags={_PROCESS_TAG: _process_mark(os.getpid())},
            raise_on_error=False,
        )
    if not result.success:
        if _was_interrupted(result):
            raise KeyboardInterrupt
        raise RunFailedError(_reason(result))
    passed = [each.passed for each in result.get_asset_check_evaluations()]
    return Run(str(result.run_id), {"passed": passed.count(True), "failed": passed.count(False)})


def _was_interrupted(result: Any) -> bool:
    """Whether a signal ended the run: Dagster makes a failure of it."""
    errors = (getattr(event.event_specific_data, "error", None) for event in result.all_events)
    return any(error.cls_name == "DagsterExecutionInterruptedError" for error in errors if error)


def _reason(result: Any) -> str:
    for event in result.all_events:
        if event.is_failure and event.event_specific_data is not None:
            error = getattr(event.event_specific_data, "error", None)
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                first = error.message.strip().splitlines()[0]
                return f"The run {result.run_id} failed: {first.removeprefix(f'{error.cls_name}: ')}"
    return f"The run {result.run_id} failed; see it in Dagster's UI."


def _close_dead_runs(instance: Any) -> None:
    """Marks runs of processes like this one that were killed as failed; nobody else watches them."""
    from dagster import DagsterRunStatus, RunsFilter

    for run in instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED])):
        mark = run.tags.get(_PROCESS_TAG)
        if mark and mark != _process_mark(int(mark.partition("@")[0])):
            instance.report_run_failed(run, "The process that ran this was killed.")


def _process_mark(pid: int) -> str:
    """A process, told apart from a later one with the same id by when it started."""
    try:
        return f"{pid}@{psutil.Process(pid).create_time():.0f}"
    except psutil.NoSuchProcess:
        return ""
