"""Asks Dagster to start runs; when it does not answer in time, the sweep in its own process does."""

import logging
import threading
from typing import Any
from uuid import UUID

import httpx

from pipelines.http import trusted
from pipelines.requests import SYNC_JOB, Drain, Run, as_launches
from pos_core.database.connect import tenant_engine
from pos_core.errors import PosError
from pos_core.repositories import sync_requests
from pos_core.settings import get_settings

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 2.0
_LAUNCH = """
mutation Launch($job: JobOrPipelineSelector!, $runConfig: RunConfigData, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    selector: $job, runConfigData: $runConfig, executionMetadata: {tags: $tags}
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
  }
}
"""
_JOB = {
    "repositoryLocationName": "pos_integration",
    "repositoryName": "__repository__",
    "jobName": SYNC_JOB,
}


class NotLaunchedError(PosError):
    """Dagster was not reached, or refused: there is no run for sure."""


class UnknownLaunchError(PosError):
    """Dagster was asked and did not answer in time: there may be a run."""


def launch(address: str, wanted: Run, timeout_seconds: float = _TIMEOUT_SECONDS) -> str:
    """Has Dagster start a run.

    Args:
        address: Dagster's web page.

    Returns:
        The run's id.

    Raises:
        NotLaunchedError: there is no run.
        UnknownLaunchError: there may be one.
    """
    tags = [{"key": key, "value": value} for key, value in wanted.tags.items()]
    body = {"query": _LAUNCH, "variables": {"job": _JOB, "runConfig": wanted.run_config, "tags": tags}}
    try:
        answer = httpx.post(
            f"{address}/graphql",
            json=body,
            timeout=timeout_seconds,
            trust_env=False,
            verify=trusted(trust_env=False),
        )
        answer.raise_for_status()
        data: Any = answer.json()["data"]["launchRun"]
        kind, run = data["__typename"], data.get("run")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
        raise NotLaunchedError(f"Dagster at {address} was not reached ({type(error).__name__}).") from None
    except httpx.HTTPError as error:
        raise UnknownLaunchError(f"Dagster at {address} did not answer ({type(error).__name__}).") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotLaunchedError(f"What answers at {address} is not Dagster.") from None
    if kind != "LaunchRunSuccess":
        raise NotLaunchedError(f"Dagster refused to launch a run: {kind}.")
    return str(run["runId"])


def launch_drain() -> bool:
    """Has Dagster work off the events of webhooks; False where there is no run for sure."""
    try:
        launch(get_settings().dagster_address, Drain())
    except NotLaunchedError as error:
        logger.warning("%s Events are worked off by the sweep.", error.message)
        return False
    except UnknownLaunchError as error:
        logger.warning("%s Events may be late.", error.message)
    return True


class Launcher:
    """Launches what tenants have asked for; one launch at a time, so that a burst of requests is few runs.

    Whoever comes while a launch is on its way leaves the tenant to it and goes on: however slow Dagster is,
    one thread waits for it.
    """

    def __init__(self) -> None:
        self._launching = threading.Lock()
        self._tenants: set[UUID] = set()

    def launch_queued(self, tenant_id: UUID) -> None:
        """Has runs started for what the tenant has queued; never raises, since the sweep does it as well."""
        self._tenants.add(tenant_id)
        while self._tenants and self._launching.acquire(blocking=False):
            try:
                if not _launch_of(self._tenants.pop()):
                    self._tenants.clear()
            except KeyError:
                continue
            except Exception as error:
                # The request is answered already, and its words may hold what was sent.
                logger.error("launching a sync failed (%s)", type(error).__name__)
            finally:
                self._launching.release()


LAUNCHER = Launcher()
"""This process's; requests of all tenants go through it."""


def _launch_of(tenant_id: UUID) -> bool:
    """Launches what a tenant has queued; False when Dagster cannot be reached: asking on is of no use."""
    engine, address = tenant_engine(tenant_id), get_settings().dagster_address
    with engine.begin() as connection:
        room = sync_requests.room_for_runs(connection, tenant_id)
        waiting = as_launches(sync_requests.take_to_launch(connection, tenant_id))
    left, is_reached = waiting[room:], True
    for at, each in enumerate(waiting[:room]):
        try:
            run_id = launch(address, each)
        except UnknownLaunchError as error:
            logger.warning("%s A sync that was asked for may be late.", error.message)
            left, is_reached = waiting[at + 1 :], False
            break
        except NotLaunchedError as error:
            logger.warning("%s A sync that was asked for is launched by the sweep.", error.message)
            left, is_reached = waiting[at:], False
            break
        logger.info("run %s launched for %s requests", run_id, len(each.request_ids))
    if left:
        with engine.begin() as connection:
            sync_requests.not_launched(connection, [each for one in left for each in one.request_ids])
    return is_reached
