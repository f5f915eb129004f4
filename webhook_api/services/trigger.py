"""Asks for a drain when events have come: one, however many they were, and never inside their transaction."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from pos_core.errors import PosError
from pos_core.repositories import inbox
from webhook_api.services.receiver import Receiver

logger = logging.getLogger(__name__)

_COUNTS_AFTER_SECONDS = 2.0
_ASK_AGAIN_AFTER_SECONDS = 5.0  # the sweep looks as often


@asynccontextmanager
async def working(receiver: Receiver, launch: Callable[[], bool]) -> AsyncIterator[None]:
    """Stores what is received, asks for drains and writes counts down while the block runs.

    Args:
        launch: asks for one drain; False where nobody could be asked. The sweep then finds the events.
    """
    tasks = [
        asyncio.create_task(each)
        for each in (receiver.inbox.run(), _ask_for_drains(receiver, launch), _write_counts(receiver))
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask_for_drains(receiver: Receiver, launch: Callable[[], bool]) -> None:
    while True:
        await receiver.inbox.arrived.wait()
        receiver.inbox.arrived.clear()
        try:
            connection = await receiver.inbox.connection()
            if await inbox.knock(connection) and not await asyncio.to_thread(launch):
                await inbox.unanswered(connection)
                await asyncio.sleep(_ASK_AGAIN_AFTER_SECONDS)
        except (psycopg.Error, PosError, OSError) as error:
            logger.warning("a drain could not be asked for: %s", type(error).__name__)


async def _write_counts(receiver: Receiver) -> None:
    while True:
        await asyncio.sleep(_COUNTS_AFTER_SECONDS)
        if receiver.refused or any(receiver.inbox.repeated.values()):
            try:
                await receiver.flush_counts()
            except (psycopg.Error, PosError, OSError) as error:
                logger.warning("counts could not be written: %s", type(error).__name__)
