"""Whether the service can work, and which part of what it needs is missing."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from pos_core.database import ready
from pos_core.database.connect import get_service_engine
from pos_core.database.ready import Lack
from pos_core.database.roles import API_ROLE
from pos_core.errors import DatabaseError, PosError

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 2
_NO_DATABASE = Lack("database", "The database does not answer.")
_NO_ROLES = Lack("roles", "The database has not got the service's roles; run `pos init`.")
_NO_SETTINGS = Lack("settings", "A setting is wrong; the log says which.")


class Readiness:
    """Looks at the database for whoever asks: once for all who ask at the same time, and not for long."""

    def __init__(self) -> None:
        self._looking: asyncio.Task[Lack | None] | None = None

    async def lack(self) -> Lack | None:
        """What the service cannot work without, or None."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(_look))
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), _PATIENCE_SECONDS)
        except TimeoutError:
            return _NO_DATABASE


def _look() -> Lack | None:
    try:
        with get_service_engine(API_ROLE).connect() as connection:
            return ready.lack(connection)
    except DatabaseError as error:
        logger.warning("Not ready: %s", error.message)
        # A login that fails has no code, only the server's words.
        return _NO_ROLES if "role" in error.message else _NO_DATABASE
    except PosError as error:
        logger.warning("Not ready: %s", error.message)
        return _NO_SETTINGS
    except SQLAlchemyError as error:
        logger.warning("Not ready: %s", type(error).__name__)
        return _NO_DATABASE
