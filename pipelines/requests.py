"""What runs are asked for: syncs, put together into as few runs as carry them out, and drains of webhooks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pos_core.repositories.sync_requests import SyncRequest

SYNC_JOB, SYNC_OP = "sync_configurations", "sync"
"""The job that syncs configurations, and what in it is configured."""


class Run(Protocol):
    """What Dagster is asked to run."""

    @property
    def run_config(self) -> dict[str, Any]:
        """The configuration of the job."""
        ...

    @property
    def tags(self) -> dict[str, str]:
        """What the list of runs shows of it."""
        ...


@dataclass(frozen=True)
class Drain:
    """One run that works off the events of webhooks, whichever configurations they concern."""

    @property
    def run_config(self) -> dict[str, Any]:
        """What Dagster is given."""
        return {"ops": {SYNC_OP: {"config": {"webhooks": True}}}}

    @property
    def tags(self) -> dict[str, str]:
        """What the list of runs shows of it."""
        return {"pos/webhooks": "true"}


@dataclass(frozen=True)
class Launch:
    """One run: configurations of which the same is to be read."""

    request_ids: tuple[UUID, ...]
    configuration_ids: tuple[UUID, ...]
    since: datetime | None
    until: datetime | None

    @property
    def run_config(self) -> dict[str, Any]:
        """What Dagster is given; a configuration whose request was done meanwhile is left out by the run."""
        config: dict[str, Any] = {
            "configuration_ids": [str(each) for each in self.configuration_ids],
            "requested_only": True,
        }
        for name, at in (("since", self.since), ("until", self.until)):
            if at is not None:
                config[name] = at.isoformat()
        return {"ops": {SYNC_OP: {"config": config}}}

    @property
    def tags(self) -> dict[str, str]:
        """What the list of runs shows of it."""
        return {"pos/configurations": str(len(self.configuration_ids)), "pos/requested": "true"}


def as_launches(requests: Iterable[SyncRequest]) -> list[Launch]:
    """One launch for all that want the same read, in the order in which it was first asked for."""
    spans: dict[tuple[datetime | None, datetime | None], list[SyncRequest]] = {}
    for each in requests:
        spans.setdefault((each.read_from, each.read_to), []).append(each)
    return [
        Launch(
            tuple(each.id for each in some),
            tuple(dict.fromkeys(each.configuration_id for each in some)),
            *span,
        )
        for span, some in spans.items()
    ]
