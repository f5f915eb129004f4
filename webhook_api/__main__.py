"""Serves the application on this machine: `python -m webhook_api`."""

import sys

import uvicorn

from pos_core.errors import PosError
from pos_core.settings import get_settings
from webhook_api.logs import configuration
from webhook_api.main import app
from webhook_api.startup import check_settings

_GRACE_SECONDS = 5


def main() -> int:
    """Serves until a signal comes.

    Returns:
        The exit code; a wrong setting is one line on standard error.
    """
    try:
        settings = get_settings()
        check_settings(settings)
    except PosError as error:
        print(f"pos: {error.message}", file=sys.stderr)
        return error.exit_code
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings.api_port,
        log_config=configuration(),
        # The application's own leaves out queries, and its own rule says whose forwarded address counts.
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
