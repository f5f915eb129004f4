"""Drives a sandbox over real HTTP on a free loopback port, in a thread or in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from sandbox.engine import Options
from sandbox.hosting import ROOT, in_process, in_thread

__all__ = ["LONG_AGO", "ROOT", "Driver", "running", "serving"]
LONG_AGO = "2025-01-01T00:00:00Z"


class Driver:
    """A client of one running sandbox; ``account`` chooses whose token requests carry."""

    def __init__(self, url: str) -> None:
        """Connects to a sandbox that listens."""
        self.url = url
        # Nothing to verify: reading the machine's certificates takes longer than most of what is asked.
        self.http = httpx.Client(base_url=url, timeout=60, verify=False)
        accounts = self.http.get("/_sandbox/accounts").json()
        self.accounts: list[dict[str, Any]] = [each for each in accounts if each["pos_system"] == "square"]

    def headers(self, account: int = 0) -> dict[str, str]:
        """Headers with an account's token."""
        token = self.accounts[account]["credentials"]["access_token"]
        return {"Authorization": f"Bearer {token}", "Square-Version": "2026-07-15"}

    def locations(self, account: int = 0) -> list[str]:
        """Location ids of an account."""
        return [each["id"] for each in self.accounts[account]["locations"]]

    def merchant_id(self, account: int = 0) -> str:
        """Account id."""
        return str(self.accounts[account]["account_id"])

    def get(self, path: str, account: int = 0, **parameters: Any) -> httpx.Response:
        """A vendor GET."""
        return self.http.get(path, params=parameters, headers=self.headers(account))

    def post(self, path: str, body: Any, account: int = 0) -> httpx.Response:
        """A vendor POST."""
        return self.http.post(path, json=body, headers=self.headers(account))

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A control POST that must succeed."""
        answer = self.http.post(f"/_sandbox/{path}", json=dict(body or {}))
        return answer.raise_for_status().json()

    def now(self) -> str:
        """The sandbox's time."""
        return str(self.http.get("/_sandbox/clock").json()["now"])

    def truth(self, account: int | None = None) -> dict[str, Any]:
        """What was sold, of all accounts or of one."""
        query = {} if account is None else {"merchant_id": self.merchant_id(account)}
        answer: dict[str, Any] = self.http.get("/_sandbox/truth", params=query).json()
        return answer

    def search_body(self, account: int = 0, **changes: Any) -> dict[str, Any]:
        """A search over everything by time of change, oldest first."""
        times = {"updated_at": {"start_at": LONG_AGO}}
        return {
            "location_ids": self.locations(account)[:10],
            "query": {
                "filter": {"date_time_filter": times},
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
            **changes,
        }

    def search(self, body: Any, account: int = 0) -> httpx.Response:
        """A search for orders."""
        return self.post("/v2/orders/search", body, account)

    def chain(self, body: dict[str, Any], account: int = 0) -> Iterator[dict[str, Any]]:
        """All pages of a search."""
        cursor: str | None = None
        while True:
            page = self.search({**body, "cursor": cursor} if cursor else body, account)
            answer: dict[str, Any] = page.raise_for_status().json()
            yield answer
            cursor = answer.get("cursor")
            if cursor is None:
                return

    def orders(self, account: int = 0) -> dict[str, dict[str, Any]]:
        """Every order of an account, by id."""
        found: dict[str, dict[str, Any]] = {}
        locations = self.locations(account)
        for start in range(0, len(locations), 10):
            body = self.search_body(account, location_ids=locations[start : start + 10], limit=1000)
            for page in self.chain(body, account):
                found.update({order["id"]: order for order in page.get("orders", [])})
        return found

    def listed(self, path: str, name: str, account: int = 0, **parameters: Any) -> list[Any]:
        """All pages of a GET list."""
        found: list[Any] = []
        while True:
            answer = self.get(path, account, **parameters).json()
            found += answer.get(name, [])
            if "cursor" not in answer:
                return found
            parameters["cursor"] = answer["cursor"]

    def payments(self, account: int = 0) -> list[Any]:
        """Every payment of an account, location by location."""
        return [
            payment
            for location in self.locations(account)
            for payment in self.listed("/v2/payments", "payments", account, location_id=location)
        ]

    def code(self, answer: httpx.Response) -> tuple[int, str]:
        """Status and code of a refusal."""
        return answer.status_code, str(answer.json()["errors"][0]["code"])


@contextmanager
def serving(options: Options, folder: Path | None = None, *, is_ticking: bool = False) -> Iterator[Driver]:
    """A sandbox of this vendor alone, in a thread of this process.

    Args:
        options: what the world is made from.
        folder: where its commands are kept, if anywhere.
        is_ticking: whether its clock runs on at real pace.
    """
    with in_thread(replace(options, only="square"), folder, is_ticking=is_ticking) as url:
        driver = Driver(url)
        try:
            yield driver
        finally:
            driver.http.close()


@contextmanager
def running(*arguments: str, hash_seed: str = "0") -> Iterator[Driver]:
    """A sandbox of this vendor alone, in a process of its own, started by its command line.

    Args:
        arguments: of the command line.
        hash_seed: Python's, which must not matter.
    """
    with in_process("--only", "square", *arguments, hash_seed=hash_seed) as url:
        driver = Driver(url)
        try:
            yield driver
        finally:
            driver.http.close()
