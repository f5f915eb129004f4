"""How long normalising took, in the logs of the syncs that it was for."""

from pipelines.normalise import Normalised
from pipelines.sync import Context, Report
from pos_core.repositories import sync_logs


def note_normalising(context: Context, report: Report, normalised: Normalised) -> None:
    """Adds the seconds that normalising took to the logs of the configurations that had something in it."""
    ids = [
        each.fetched.sync_id
        for each in report.outcomes
        if each.fetched is not None and each.configuration.id in normalised.touched
    ]
    if ids:
        with context.engine.begin() as connection:
            sync_logs.add_seconds(connection, ids, {"normalise": normalised.seconds})
