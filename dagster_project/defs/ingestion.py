"""The sync: fetch, land and normalise many configurations in one run.

Launched without a partition it takes its configurations from the run config (none given: those that are
due) and reports per partition. Such a run succeeds although a configuration failed: the others' sales are
in, the failed one's check is red for its partition alone, and it is asked again after its own wait.
Launched for partitions, as from the UI, it takes those and fails when one of them could not be read.
Launched for webhooks it takes what their events concern, round after round until nothing waits.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from dagster import (
    AssetCheckEvaluation,
    AssetExecutionContext,
    AssetSelection,
    BackfillPolicy,
    Config,
    DagsterEvent,
    Failure,
    MaterializeResult,
    ResourceParam,
    define_asset_job,
    multi_asset,
)
from pydantic import Field

from dagster_project.defs.resources import Pos
from dagster_project.lib import events
from dagster_project.lib.specs import CONFIGURATIONS, mart_specs, raw_specs
from pipelines.drain import drain
from pipelines.requests import SYNC_JOB, SYNC_OP
from pipelines.rounds import Round, sync_rounds, together
from pipelines.sync import Report
from pos_core.errors import ConfigurationError
from pos_core.repositories import configurations, sync_requests

SYNC_SECONDS = 50.0
"""For how long a run of the schedule begins other rounds; what is missing after that is the next one's."""
DRAIN_SECONDS = 60.0
"""For how long one run works off events; what comes after that is the next one's."""


class SyncConfig(Config):
    """What to sync."""

    configuration_ids: list[str] = Field(
        default_factory=list, description="Configurations to sync; none: those that are due."
    )
    since: str | None = Field(
        default=None,
        description="Read again from this instant on (ISO 8601); none: what is missing.",
    )
    until: str | None = Field(
        default=None, description="With `since`: read again up to this instant (ISO 8601); none: until now."
    )
    requested_only: bool = Field(
        default=False,
        description="Leave out configurations of which this is not asked for any more; another run did it.",
    )
    scheduled: bool = Field(
        default=False,
        description="Nobody asked for these, their time has come: vendors that are down are left alone, and "
        "what is missing after a minute is the next run's.",
    )
    wait: bool = Field(default=False, description="Wait for configurations that another run is syncing.")
    webhooks: bool = Field(
        default=False,
        description="Instead: work off events of webhooks that wait, whichever configurations they concern.",
    )


Reported = DagsterEvent | AssetCheckEvaluation | MaterializeResult[None]


@multi_asset(
    name=SYNC_OP,
    specs=[*raw_specs(), *mart_specs()],
    can_subset=False,
    backfill_policy=BackfillPolicy.single_run(),
)
def sync_assets(
    context: AssetExecutionContext, config: SyncConfig, pos: ResourceParam[Pos]
) -> Iterator[Reported]:
    """Reads what is new of each configuration, lands it in raw and brings the marts up to date."""
    is_partitioned = context.has_partition_key or context.has_partition_key_range
    if config.webhooks and not is_partitioned:
        # Told once: telling takes longer than a round may wait.
        drained = list(drain(pos.context, pos.dbt_folder, context.run.run_id, DRAIN_SECONDS))
        if drained:
            yield from _told(context, pos, together(drained))
        return
    since, until = _instant(config.since), _instant(config.until)
    ids = _as_ids(context.partition_keys) if is_partitioned else _configured(config, pos)
    if config.requested_only:
        with pos.context.engine.connect() as connection:
            ids = sync_requests.still_wanted(connection, ids, since, until)
    rounds = sync_rounds(
        pos.context,
        pos.dbt_folder,
        ids,
        since=since,
        until=until,
        run_id=context.run.run_id,
        # Whoever asks for certain partitions wants them done, not to hear that another run is at it.
        wait=config.wait or is_partitioned,
        is_scheduled=config.scheduled or not (is_partitioned or config.configuration_ids),
        budget_seconds=SYNC_SECONDS if config.scheduled else None,
    )
    done = together(list(rounds))
    yield from _told(context, pos, done)
    if is_partitioned and (done.report.failed or done.report.postponed):
        raise _failure(done.report)


sync_job = define_asset_job(
    SYNC_JOB,
    selection=AssetSelection.assets(sync_assets).without_checks(),
    description="Syncs the configurations in the run config, or those that are due.",
)


def _told(context: AssetExecutionContext, pos: Pos, done: Round) -> Iterator[Reported]:
    """What the run did, per partition: materializations, checks, the reasons of failures in its log."""
    report, normalised = done.report, done.normalised
    ids = [each.configuration.id for each in report.outcomes]
    context.instance.add_dynamic_partitions(str(CONFIGURATIONS.name), [str(each) for each in ids])
    context.instance.add_run_tags(context.run.run_id, events.run_tags(report))
    wanted = ids if context.has_partition_key else normalised.touched
    sales = events.latest_sales(pos.context.engine, wanted)
    landed = {pos_system for pos_system, _ in report.loads}
    ended = [each for each in report.outcomes if each.status != "busy"]
    figures = [
        events.Figures(
            outcome,
            is_landed=outcome.configuration.pos_system in landed,
            touched=normalised.touched.get(outcome.configuration.id, 0),
            latest=sales.get(outcome.configuration.id),
        )
        for outcome in ended
    ]
    yield from _reported(context, figures)
    for outcome in ended:
        yield events.check(outcome)
        if outcome.status == "failed":
            context.log.error(f"{outcome.configuration.name}: {outcome.error}")
    for said, count in Counter(each.error for each in report.postponed).items():
        context.log.warning(f"{count} configurations were postponed: {said}")
    for outcome in report.outcomes:
        if outcome.status == "busy":
            context.log.info(f"{outcome.configuration.name}: another run is syncing it")


def _reported(context: AssetExecutionContext, figures: Sequence[events.Figures]) -> Iterator[Reported]:
    """A run of one partition was asked for all of it: its results also let the checks that follow run."""
    is_whole = context.has_partition_key
    for each in figures:
        if is_whole and not each.outcome.error:
            for made in each.all():
                yield MaterializeResult(asset_key=made.asset_key, metadata=made.metadata)
    changed = [made for each in figures if not is_whole or each.outcome.error for made in each.changed()]
    yield from events.write_at_once(context, changed)


def _configured(config: SyncConfig, pos: Pos) -> list[UUID]:
    if config.configuration_ids:
        return _as_ids(config.configuration_ids)
    with pos.context.engine.connect() as connection:
        return configurations.due_ids(connection)


def _as_ids(texts: Sequence[str]) -> list[UUID]:
    try:
        return [UUID(each) for each in texts]
    except ValueError:
        raise ConfigurationError(f"{', '.join(texts)}: ids of configurations are UUIDs.") from None


def _instant(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise ConfigurationError(f"{given!r} is no ISO 8601 time.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _failure(report: Report) -> Failure:
    unread = [*report.failed, *report.postponed]
    return Failure("; ".join(f"{each.configuration.name}: {each.error}" for each in unread))
