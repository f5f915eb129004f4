"""Drives a sandbox as a reader of Toast would: logs in, asks per restaurant, follows pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from sandbox.clock import DAY, WORLD_END, Instant, parse_instant
from sandbox.engine import Options
from sandbox.hosting import in_process, in_thread
from sandbox.toast.api import RESTAURANT_HEADER, TOKEN_HEADER
from sandbox.toast.names import time_text

LOGIN = "/authentication/v1/authentication/login"
BULK = "/orders/v2/ordersBulk"
LONG_AGO: Instant = WORLD_END - 40 * DAY
_WINDOW = 30 * DAY


class Driver:
    """A client of one running sandbox; ``account`` and ``place`` choose credential and restaurant."""

    def __init__(self, url: str) -> None:
        """Connects to a sandbox that listens."""
        self.url = url
        # Nothing to verify: reading the machine's certificates takes longer than most of what is asked.
        self.http = httpx.Client(base_url=url, timeout=60, verify=False)
        accounts: list[dict[str, Any]] = self.http.get("/_sandbox/accounts").json()
        self.accounts = [each for each in accounts if each["pos_system"] == "toast"]
        self._tokens: dict[int, str] = {}

    def login(self, account: int = 0, **changes: Any) -> httpx.Response:
        """Asks for a token."""
        credentials = self.accounts[account]["credentials"]
        body = {
            "clientId": credentials["client_id"],
            "clientSecret": credentials["client_secret"],
            "userAccessType": "TOAST_MACHINE_CLIENT",
        }
        return self.http.post(LOGIN, json={**body, **changes})

    def token(self, account: int = 0) -> str:
        """A token, asked for once."""
        if account not in self._tokens:
            answer = self.login(account).raise_for_status().json()
            self._tokens[account] = answer["token"]["accessToken"]
        return self._tokens[account]

    def forget_tokens(self) -> None:
        """Forgets all tokens, so that the next request asks for a new one."""
        self._tokens.clear()

    def restaurant(self, account: int = 0, place: int = 0) -> str:
        """Identifier of a restaurant."""
        return str(self.accounts[account]["locations"][place]["id"])

    def account_id(self, account: int = 0) -> str:
        """Account id."""
        return str(self.accounts[account]["account_id"])

    def headers(self, account: int = 0, place: int | None = 0) -> dict[str, str]:
        """Headers with token and restaurant."""
        headers = {"Authorization": f"Bearer {self.token(account)}"}
        if place is not None:
            headers[RESTAURANT_HEADER] = self.restaurant(account, place)
        return headers

    def get(self, path: str, account: int = 0, place: int | None = 0, **parameters: Any) -> httpx.Response:
        """A vendor GET."""
        return self.http.get(path, params=parameters, headers=self.headers(account, place))

    def read(self, path: str, account: int = 0, place: int | None = 0, **parameters: Any) -> Any:
        """A vendor GET that must succeed; numbers with a fraction are Decimal."""
        answer = self.get(path, account, place, **parameters).raise_for_status()
        return json.loads(answer.text, parse_float=Decimal)

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A control POST that must succeed."""
        answer = self.http.post(f"/_sandbox/{path}", json=dict(body or {}))
        return answer.raise_for_status().json()

    def now(self) -> Instant:
        """The sandbox's time."""
        return parse_instant(str(self.http.get("/_sandbox/clock").json()["now"]))

    def truth(self, account: int = 0) -> list[dict[str, Any]]:
        """What an account sold."""
        query = {"merchant_id": self.account_id(account)}
        answer: dict[str, Any] = self.http.get("/_sandbox/truth", params=query).json()
        rows: list[dict[str, Any]] = answer["transactions"]
        return rows

    def pages(
        self,
        start_at: Instant,
        end_at: Instant,
        account: int = 0,
        place: int = 0,
        page_size: int = 100,
    ) -> Iterator[list[dict[str, Any]]]:
        """All pages of a window of a restaurant, by the links."""
        parameters = {"startDate": time_text(start_at), "endDate": time_text(end_at), "pageSize": page_size}
        answer = self.get(BULK, account, place, **parameters)
        while True:
            yield json.loads(answer.raise_for_status().text, parse_float=Decimal)
            if "next" not in answer.links:
                return
            answer = self.http.get(answer.links["next"]["url"], headers=self.headers(account, place))

    def orders_of(self, account: int = 0, place: int = 0) -> dict[str, dict[str, Any]]:
        """Every order of a restaurant."""
        found: dict[str, dict[str, Any]] = {}
        start_at, end_at = LONG_AGO, self.now() + 1
        while start_at < end_at:
            until = min(start_at + _WINDOW, end_at)
            for page in self.pages(start_at, until, account, place):
                found.update({order["guid"]: order for order in page})
            start_at = until
        return found

    def orders(self, account: int = 0) -> dict[str, dict[str, Any]]:
        """Every order of an account."""
        places = range(len(self.accounts[account]["locations"]))
        return {key: order for place in places for key, order in self.orders_of(account, place).items()}

    def configured(self, kind: str, account: int = 0, place: int = 0, **parameters: Any) -> list[Any]:
        """All pages of configured things of one kind."""
        found: list[Any] = []
        while True:
            answer = self.get(f"/config/v2/{kind}", account, place, **parameters).raise_for_status()
            found += json.loads(answer.text, parse_float=Decimal)
            if TOKEN_HEADER not in answer.headers:
                return found
            parameters["pageToken"] = answer.headers[TOKEN_HEADER]


@contextmanager
def serving(options: Options, folder: Path | None = None, *, is_ticking: bool = False) -> Iterator[Driver]:
    """A sandbox of this vendor alone, in a thread of this process.

    Args:
        options: what the world is made from.
        folder: where its commands are kept, if anywhere.
        is_ticking: whether its clock runs on at real pace.
    """
    with in_thread(replace(options, only="toast"), folder, is_ticking=is_ticking) as url:
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
    with in_process("--only", "toast", *arguments, hash_seed=hash_seed) as url:
        driver = Driver(url)
        try:
            yield driver
        finally:
            driver.http.close()
