"""The service over real HTTP, in a thread of the test's process, so that it has the test's settings."""

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from webhook_api.main import create_app


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client of a new application on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(create_app(), log_level="critical", timeout_graceful_shutdown=0)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            yield client
        server.should_exit = True
        thread.join()
