"""Made-up shops to read from."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_up_shops(home: Path, merchants: int, orders: int, only: str | None = None) -> Iterator[str]:
    """A sandbox in a process of its own, whose time counts for nobody.

    Args:
        home: where it notes its address.
        merchants: accounts per POS.
        orders: how many they have in all, per POS, before anything is sold.
        only: the one POS that is served; all of them otherwise.

    Yields:
        Its address.
    """
    ready_file = home / "sandbox.json"
    ready_file.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "sandbox", "--port", "0", "--ready-file", str(ready_file), "--clock", "ticking",
        "--scale", "large", "--merchants", str(merchants), "--orders", str(orders),
    ]  # fmt: skip
    if only is not None:
        command += ["--only", only]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            while not ready_file.exists():
                if process.poll() is not None:
                    raise SystemExit("The sandbox did not start.")
                time.sleep(0.05)
            yield _url(ready_file)
        finally:
            process.terminate()


def _url(ready_file: Path) -> str:
    return str(json.loads(ready_file.read_text(encoding="utf-8"))["url"])
