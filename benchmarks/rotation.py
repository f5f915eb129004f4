"""Syncs while keys are rotated over and over and tokens are renewed: none may fail."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from benchmarks.machine import Measured, measured
from pipelines.sync import Context, sync
from pos_cli.sandbox import accounts, control
from pos_cli.setup import Ready
from pos_core.database.connect import get_engine
from pos_core.rotation import rotate
from pos_core.settings import Settings
from pos_core.vault import Vault, load_vault, new_key


def measure_rotation(ready: Ready, url: str, ids: Sequence[UUID], at_least: int) -> Measured:
    """Syncs every configuration again and again; every second time, tokens that can be renewed have expired.

    Args:
        at_least: how many configurations are synced in all.
    """
    vaults = _vaults()
    context = Context(get_engine(), ready.address, vaults[0], ready.home / "work")
    rounds = -(-at_least // len(ids))
    failures = 0
    with (
        measured("", rounds * len(ids), "configurations", ready.home / "postgres") as result,
        _rotating(vaults) as resealed,
    ):
        for number in range(rounds):
            if number % 2:
                _expire_tokens(url)
            report = sync(replace(context, vault=vaults[number % 2]), ids)
            failures += len(report.failed)
    result.title = f"sync while keys are rotated: {failures} failed, {sum(resealed):,} envelopes sealed anew"
    return result


def _vaults() -> list[Vault]:
    """Two keys, each of which seals in one of the two; the one in POS_HOME opens in both."""
    keys = [new_key(), new_key()]
    vaults = []
    for pair in (keys, keys[::-1]):
        os.environ["POS_ENCRYPTION_KEYS"] = ",".join(pair)
        vaults.append(load_vault(Settings()))
    del os.environ["POS_ENCRYPTION_KEYS"]
    return vaults


def _expire_tokens(url: str) -> None:
    for account in accounts(url):
        if "refresh_token" in account["credentials"]:
            control(url, "POST", "tokens", {"merchant_id": account["account_id"], "state": "expired"})


@contextmanager
def _rotating(vaults: Sequence[Vault]) -> Iterator[list[int]]:
    """While the block runs, each key in turn seals everything; yields how much each rotation sealed."""
    resealed: list[int] = []
    stopped = threading.Event()

    def go_on() -> None:
        while not stopped.is_set():
            vault = vaults[len(resealed) % len(vaults)]
            resealed.append(rotate(get_engine(), vault).resealed.total())

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(go_on)
        try:
            yield resealed
        finally:
            stopped.set()
            future.result()
