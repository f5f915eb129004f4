"""A tenant's sales over HTTP, and what the marts say of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from pos_core.repositories.configurations import Configuration
from tests.conftest import Project


@dataclass
class Sales:
    """The endpoints of one tenant, asked with a token of his."""

    project: Project
    configuration: Configuration
    client: httpx.Client
    headers: dict[str, str]

    @property
    def tenant_id(self) -> UUID:
        """Whose they are."""
        return self.configuration.tenant_id

    @property
    def address(self) -> str:
        """What every path begins with."""
        return f"/api/v1/tenants/{self.tenant_id}/pos"

    def get(self, path: str, headers: dict[str, str] | None = None, **parameters: Any) -> httpx.Response:
        """One request."""
        return self.client.get(
            self.address + path, headers={**self.headers, **(headers or {})}, params=parameters
        )

    def page(self, **parameters: Any) -> dict[str, Any]:
        """A page that must be there."""
        answer: dict[str, Any] = self.get("/transactions", **parameters).raise_for_status().json()
        return answer

    def pages(self, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of all pages, in their order."""
        rows: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.page(**parameters, **cursor)
            rows += page["data"]
            if not page["has_more"]:
                return rows
            cursor = {"cursor": page["next_cursor"]}

    def marts(self, condition: str = "true", table: str = "pos_transactions") -> list[dict[str, Any]]:
        """The tenant's rows of a mart."""
        query = f"select * from {table} where tenant_id = :tenant and ({condition})"
        return self.project.rows(query, tenant=self.tenant_id)

    def ids(self, condition: str = "true") -> set[str]:
        """The ids of the tenant's transactions."""
        return {str(row["transaction_id"]) for row in self.marts(condition)}

    def touch(self, *external_ids: str) -> None:
        """Has documents normalised again."""
        for external_id in external_ids:
            self.project.execute(
                "insert into pos_touched_documents (configuration_id, external_id) values (:id, :external)",
                id=self.configuration.id,
                external=external_id,
            )
        self.project.normalise()
