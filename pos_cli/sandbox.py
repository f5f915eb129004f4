"""The sandbox as the stack and the demo use it: its command, its address, its accounts as configurations."""

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from pipelines.http import trusted
from pos_cli.commands.configurations import connect_account
from pos_core.errors import StackError
from pos_core.repositories.configurations import Configuration

_TIMEOUT_SECONDS = 60.0


def sandbox_command(
    port: int,
    home: Path,
    *,
    ticking: bool = True,
    ready_file: Path | None = None,
    scale: str = "demo",
) -> list[str]:
    """The command that serves the sandbox on loopback, its state kept in POS_HOME."""
    command = [
        sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(home / "sandbox"),
        "--clock", "ticking" if ticking else "fixed", "--scale", scale,
    ]  # fmt: skip
    if ready_file is not None:
        command += ["--ready-file", str(ready_file)]
    return command


def sandbox_environment(url: str) -> dict[str, str]:
    """The operator settings that send every POS to the sandbox."""
    return {variable: url for each in accounts(url) for variable in each["address_variables"]}


def connect_accounts(url: str) -> list[tuple[dict[str, Any], Configuration]]:
    """Makes a configuration of each of the sandbox's accounts, or finds it again."""
    return [
        (
            account,
            connect_account(
                UUID(account["tenant_id"]),
                account["pos_system"],
                account["name"],
                account["credentials"],
            )[0],
        )
        for account in accounts(url)
    ]


def accounts(url: str) -> list[dict[str, Any]]:
    """The sandbox's accounts, with the credentials that a customer would have."""
    found: list[dict[str, Any]] = control(url, "GET", "accounts")
    return found


def control(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call of the sandbox's own routes.

    Raises:
        StackError: it does not answer, or refuses.
    """
    try:
        response = httpx.request(
            method,
            f"{url}/_sandbox/{path}",
            json=body,
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            verify=trusted(trust_env=False),
        )
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise StackError(f"The sandbox at {url} does not answer {path} ({type(error).__name__}).") from None
    return response.json()
