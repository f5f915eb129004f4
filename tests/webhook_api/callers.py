"""A tenant who calls the API with a token of some scopes."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from pos_core.settings import get_settings
from webhook_api.auth import ADMIN, READ, WRITE, mint

SCOPES = (READ, WRITE, ADMIN)


class TenantCaller:
    """Calls paths below `/api/v1/tenants/<tenant>/pos`; keeps the text of every answer."""

    def __init__(self, client: httpx.Client, tenant_id: UUID | None = None, *scopes: str) -> None:
        self.client = client
        self.tenant_id = tenant_id or uuid4()
        self.home = f"/api/v1/tenants/{self.tenant_id}/pos"
        self.answers: list[httpx.Response] = []
        self.token = mint(get_settings(), self.tenant_id, frozenset(scopes or SCOPES), timedelta(minutes=5))
        self.headers = {"authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request, not followed anywhere."""
        headers = {**self.headers, **content.pop("headers", {})}
        answer = self.client.request(method, f"{self.home}{path}", headers=headers, **content)
        self.answers.append(answer)
        return answer

    def get(self, path: str, **content: Any) -> httpx.Response:
        """A GET."""
        return self.call("GET", path, **content)

    def connect(self, account: dict[str, Any], **changes: Any) -> httpx.Response:
        """Connects one of the sandbox's accounts."""
        body = {
            "pos_system": account["pos_system"],
            "name": account["name"],
            "credentials": account["credentials"],
            **changes,
        }
        return self.call("POST", "/configurations", json=body)

    def connected(self, account: dict[str, Any], **changes: Any) -> str:
        """The same, and it must succeed; answers the id."""
        return str(self.connect(account, **changes).raise_for_status().json()["id"])

    def change(self, configuration_id: str, body: Any, **content: Any) -> httpx.Response:
        """Changes a configuration."""
        return self.call("PUT", f"/configurations/{configuration_id}", json=body, **content)

    def delete(self, configuration_id: str) -> httpx.Response:
        """Deletes a configuration."""
        return self.call("DELETE", f"/configurations/{configuration_id}")

    def test(self, configuration_id: str) -> dict[str, Any]:
        """Tests a configuration, which never fails."""
        answer = self.call("POST", f"/configurations/{configuration_id}/test")
        return dict(answer.raise_for_status().json())
