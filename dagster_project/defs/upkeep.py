"""The daily upkeep: what is learned from sales, and what is kept no longer."""

from dagster import OpExecutionContext, ResourceParam, job, op

from dagster_project.defs.resources import Pos
from pipelines.upkeep import keep_up


@op(name="upkeep", description="Learns the open hours of shops; removes old rows of the sync log.")
def upkeep_op(context: OpExecutionContext, pos: ResourceParam[Pos]) -> None:
    """Does the upkeep, and says what it was."""
    done = keep_up(pos.context.engine)
    context.log.info(
        f"The open hours of {done.open_hours} configurations have changed; "
        f"{done.pruned} old rows of the sync log were removed."
    )


@job(name="upkeep_database", description="Learns open hours and removes what is kept no longer.")
def upkeep_job() -> None:
    """One step."""
    upkeep_op()
