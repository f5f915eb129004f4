"""What may answer in Dagster's place: nobody, somebody who never does, or one who notes what it is asked."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SUCCESS = {"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "run-1"}}}}


@dataclass
class Noting:
    """A server that gives one answer to everything."""

    answer: Any = field(default_factory=lambda: SUCCESS)
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def configurations(self) -> list[list[str]]:
        """The configurations of each run that was asked for."""
        configs = [each["variables"]["runConfig"]["ops"]["sync"]["config"] for each in self.asked]
        return [each["configuration_ids"] for each in configs]


@contextmanager
def noting() -> Iterator[Noting]:
    """A server on loopback that notes what it is asked."""
    noted = Noting()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            noted.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            content = noted.answer if isinstance(noted.answer, bytes) else json.dumps(noted.answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Nothing, so that the tests stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    noted.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield noted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def nobody() -> str:
    """An address on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
