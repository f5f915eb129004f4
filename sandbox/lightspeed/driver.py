"""Drives a sandbox of this vendor over real HTTP; ``account`` chooses whose token requests carry."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import simplejson

from sandbox.engine import Options
from sandbox.hosting import in_process, in_thread
from sandbox.lightspeed.token_routes import REALM

ALL = "staff,table,consumer,payments,revenue_center,account_profile,payment_authorization"
Document = dict[str, Any]


def exact(answer: httpx.Response) -> Any:
    """An answer's JSON, its numbers as decimals."""
    return simplejson.loads(answer.content, use_decimal=True)


class Driver:
    """A client of one running sandbox."""

    def __init__(self, url: str) -> None:
        """Connects to a sandbox that listens."""
        self.url = url
        # Nothing to verify: reading the machine's certificates takes longer than most of what is asked.
        self.http = httpx.Client(base_url=url, timeout=60, verify=False)
        self.accounts: list[dict[str, Any]] = self.http.get("/_sandbox/accounts").json()
        self.credentials: list[dict[str, str]] = [each["credentials"] for each in self.accounts]

    def headers(self, account: int = 0) -> dict[str, str]:
        """Headers with an account's access token."""
        return {"Authorization": f"Bearer {self.credentials[account]['access_token']}"}

    def locations(self, account: int = 0) -> list[str]:
        """Business location ids of an account."""
        return [each["id"] for each in self.accounts[account]["locations"]]

    def account_id(self, account: int = 0) -> str:
        """Business id."""
        return str(self.accounts[account]["account_id"])

    def get(self, path: str, account: int = 0, **parameters: Any) -> httpx.Response:
        """A vendor GET; ``from_`` stands for ``from``."""
        query = {name.rstrip("_"): value for name, value in parameters.items()}
        return self.http.get(path, params=query, headers=self.headers(account))

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A control POST that must succeed."""
        answer = self.http.post(f"/_sandbox/{path}", json=dict(body or {}))
        return answer.raise_for_status().json()

    def edit(self) -> list[Document]:
        """Runs a round of edits, which outlasts every access token, and takes new tokens."""
        edited: list[Document] = self.control("edits")["merchants"]
        for account in range(len(self.accounts)):
            self.refresh(account).raise_for_status()
        return edited

    def now(self) -> str:
        """The sandbox's time."""
        return str(self.http.get("/_sandbox/clock").json()["now"])

    def truth(self, account: int = 0) -> dict[str, Document]:
        """What was booked, by external id."""
        query = {"merchant_id": self.account_id(account)}
        answer = self.http.get("/_sandbox/truth", params=query).json()
        return {row["external_id"]: row for row in answer["transactions"]}

    def earliest(self, account: int, location: str) -> str:
        """From when on a location can be read, from the vendor's own refusal."""
        path = f"/f/v2/business-location/{location}/sales"
        refusal = self.get(path, account, from_="2026-01-01T00:00:00Z").json()["error"]
        return str(refusal.split("after: ")[1].split(", ")[0])

    def pages(self, account: int = 0, place: int = 0, **parameters: Any) -> Iterator[Document]:
        """All pages of a location's sales, from the beginning unless asked."""
        location = self.locations(account)[place]
        path = f"/f/v2/business-location/{location}/sales"
        query = {"from_": self.earliest(account, location), "include": ALL, "pageSize": 100} | parameters
        while True:
            page: Document = exact(self.get(path, account, **query).raise_for_status())
            yield page
            if not page.get("nextPageToken"):
                return
            query["nextPageToken"] = page["nextPageToken"]

    def sales(self, account: int = 0) -> dict[str, Document]:
        """Every sale of an account, by external id."""
        return {
            sale.get("accountReference", sale.get("accountFiscId")): sale
            for place in range(len(self.locations(account)))
            for page in self.pages(account, place)
            for sale in page["sales"]
        }

    def token(self, account: int, given: Mapping[str, str], **changes: str) -> httpx.Response:
        """Asks the token service of an account's generation.

        Args:
            account: whose client asks.
            given: the grant's parameters.
            changes: to ``client_id``, ``client_secret`` or ``generation``.
        """
        client = {**self.credentials[account], **changes}
        pair = f"{client['client_id']}:{client['client_secret']}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        if client["generation"] == "V1":
            return self.http.post("/oauth/token", params=dict(given), headers=headers)
        return self.http.post(f"{REALM}/token", data=dict(given), headers=headers)

    def refresh(self, account: int = 0) -> httpx.Response:
        """Refreshes an account's tokens and goes on with the new ones."""
        old = self.credentials[account]["refresh_token"]
        answer = self.token(account, {"grant_type": "refresh_token", "refresh_token": old})
        if answer.status_code == httpx.codes.OK:
            fresh = answer.json()
            names = ("access_token", "refresh_token")
            self.credentials[account] = {**self.credentials[account], **{each: fresh[each] for each in names}}
        return answer


@contextmanager
def _connected(url: str) -> Iterator[Driver]:
    driver = Driver(url)
    try:
        yield driver
    finally:
        driver.http.close()


@contextmanager
def serving(options: Options, folder: Path | None = None, *, is_ticking: bool = False) -> Iterator[Driver]:
    """A sandbox of this vendor alone, in a thread of this process.

    Args:
        options: what the world is made from.
        folder: where its commands are kept, if anywhere.
        is_ticking: whether its clock runs on at real pace.
    """
    alone = replace(options, only="lightspeed")
    with in_thread(alone, folder, is_ticking=is_ticking) as url, _connected(url) as driver:
        yield driver


@contextmanager
def running(*arguments: str, hash_seed: str = "0") -> Iterator[Driver]:
    """A sandbox of this vendor alone, in a process of its own, started by its command line.

    Args:
        arguments: of the command line.
        hash_seed: Python's, which must not matter.
    """
    with (
        in_process("--only", "lightspeed", *arguments, hash_seed=hash_seed) as url,
        _connected(url) as driver,
    ):
        yield driver
