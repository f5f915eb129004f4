"""The service keeps to its OpenAPI document, whatever it is sent: schemathesis asks, over real HTTP.

What cannot be made up is fed in: ids that exist, an account's credentials, a login that a vendor has allowed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import UUID

import httpx
import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

from pos_core.repositories import configurations
from pos_core.settings import get_settings
from sandbox.square.oauth import APPLICATION_ID, APPLICATION_SECRET
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors, serving
from tests.webhook_api.dagster_servers import noting
from webhook_api.auth import OPERATOR
from webhook_api.main import create_app
from webhook_api.services.login import CALLBACK_PATH
from webhook_api.services.transactions import MEDIA_TYPES

HOME = "/api/v1/tenants/{tenant_id}/pos"
CREATE, CHANGE = f"POST {HOME}/configurations", f"PUT {HOME}/configurations/{{config_id}}"
DELETE, CALLBACK = f"DELETE {HOME}/configurations/{{config_id}}", f"GET {CALLBACK_PATH}"
LIST, LISTS = f"GET {HOME}/transactions", (f"GET {HOME}/configurations", f"GET {HOME}/audit")
WEBHOOK_STATUS = "GET /api/v1/webhooks/{pos_system}/status"
# Only a vendor's signature succeeds there; `routers/test_webhooks.py` has them.
SIGNED_BY_VENDORS = {
    "POST /api/v1/webhooks/{pos_system}",
    "POST /api/v1/webhooks/{pos_system}/{config_id}",
}
# What a rule between two parameters refuses, a cursor above all, is valid by the schema of each.
NOT_CHECKED = {"positive_data_acceptance": {"enabled": False}}
LOGINS = 4


@dataclass
class Service:
    """A served application with a tenant who has sales, syncs and connections."""

    client: httpx.Client
    document: dict[str, Any]
    tenant: TenantCaller
    ids: dict[str, str]
    """Of what exists, by the name of the parameter."""
    spare: dict[str, str]
    """Configurations for the operations that change or destroy one."""
    given: Iterator[dict[str, Any]]
    """What connects an account; with nothing given, what was made up is sent."""
    cursors: dict[str, str]
    """Of the second page, by operation; a listing that is not here is read from its beginning."""
    media_types: Iterator[str] = field(default_factory=lambda: cycle(MEDIA_TYPES))
    logins: int = 0

    def feed(self, _context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: Any) -> None:
        """Puts what exists in the place of what was made up, where that is valid."""
        label = case.operation.label
        ids = {**self.ids, "config_id": self.spare.get(label, self.ids["config_id"])}
        for values in (case.path_parameters, case.query):
            for name in ids.keys() & (values or {}).keys():
                if _is_id(values[name]):
                    values[name] = ids[name]
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        if "cursor" in (case.query or {}):
            del case.query["cursor"]
            case.query |= {"cursor": self.cursors[label]} if label in self.cursors else {}
        if label == CHANGE:
            case.headers["If-Match"] = "*"
        elif label == CREATE and isinstance(case.body, dict):
            case.body = {**case.body, **next(self.given)}
        elif label == LIST:
            case.headers["Accept"] = next(self.media_types)
        elif label == WEBHOOK_STATUS:
            case.path_parameters["pos_system"] = "square"
        elif label == CALLBACK and self.logins < LOGINS:
            self.logins += 1
            self._log_in(case)

    def _log_in(self, case: schemathesis.Case[Any]) -> None:
        """Makes a callback of a login that the vendor allowed; each second one comes from a browser."""
        begun = self.tenant.get("/connect/square", params={"name": "By login"}).raise_for_status()
        allowed = httpx.get(begun.json()["authorize_url"], trust_env=False)
        case.query = dict(httpx.URL(allowed.headers["location"]).params)
        case.cookies = dict(begun.cookies)
        case.headers["Accept"] = "text/html" if self.logins % 2 else "application/json"


def _is_id(value: object) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


@pytest.fixture
def service(project: Project, vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service, with Dagster and the vendors in reach and limits that nobody comes near."""
    own, other = vendors.accounts("square")
    settings = {
        "SQUARE_APPLICATION_ID": APPLICATION_ID,
        "SQUARE_APPLICATION_SECRET": APPLICATION_SECRET,
        "POS_RATE_LIMIT_PER_TENANT": "900000/minute",
        "POS_RATE_LIMIT_PER_ADDRESS": "900000/minute",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with noting() as dagster:
        monkeypatch.setenv("POS_DAGSTER_URL", dagster.url)
        get_settings.cache_clear()
        application = create_app()
        with serving(application) as client:
            tenant = TenantCaller(client)
            made = tenant.connected(own)
            with project.engine.connect() as connection:
                configuration = configurations.get(connection, UUID(made))
            project.sync(configuration)
            project.normalise()
            ids = {
                "config_id": made,
                "configuration_id": made,
                "transaction_id": tenant.get("/transactions?limit=1").json()["data"][0]["transaction_id"],
                "request_id": tenant.call("POST", f"/configurations/{made}/sync").json()["id"],
            }
            spare = {
                CHANGE: tenant.connected(other),
                DELETE: tenant.connected(vendors.accounts("lightspeed")[0]),
            }
            given = cycle([_given(vendors.accounts("toast")[1]), _given(own), {}])
            cursors = {name: _cursor(tenant, name) for name in LISTS}
            yield Service(client, application.openapi(), tenant, ids, spare, given, cursors)


def _cursor(tenant: TenantCaller, listing: str) -> str:
    page = tenant.get(listing.rpartition("/pos")[2], params={"limit": 1})
    return str(page.raise_for_status().json()["next_cursor"])


def _given(account: dict[str, Any]) -> dict[str, Any]:
    return {name: account[name] for name in ("pos_system", "credentials")}


@pytest.fixture
def fed(service: Service) -> Iterator[Service]:
    """The service, with what exists fed into every request."""

    def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: Any) -> None:
        service.feed(context, case, kwargs)

    schemathesis.hook(before_call)
    yield service
    GLOBAL_HOOK_DISPATCHER.unregister(before_call)


@dataclass
class Outcome:
    """What came of all requests."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By operation."""
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first of each kind for each operation."""


def _ask(service: Service, token: str, **phases: dict[str, Any]) -> Outcome:
    """Asks for every operation of the document, with what is valid and what is not.

    Args:
        token: sent where the document says that one is needed.
        phases: as schemathesis has them in its settings.
    """
    settings = {
        "base-url": str(service.client.base_url),
        "continue-on-failure": True,
        "seed": 1,
        "generation": {"deterministic": True, "database": "none", "max-examples": 5, "no-shrink": True},
        "auth": {"openapi": {"HTTPBearer": {"bearer": token}}},
        "parameters": {"path.tenant_id": str(service.tenant.tenant_id)},
        "checks": NOT_CHECKED,
        # Answers hold ids that are others each time; what exists is fed in.
        "phases": {
            name: {"extra-data-sources": {"responses": False}, **phases.get(name, {})}
            for name in ("examples", "coverage", "fuzzing")
        }
        | {"stateful": {"enabled": False}},
    }
    config = schemathesis.Config.from_dict(settings)
    outcome = Outcome()
    for event in from_schema(schemathesis.openapi.from_dict(service.document, config=config)).execute():
        assert not isinstance(event, events.FatalError), event.exception
        assert not isinstance(event, events.NonFatalError), (event.label, event.value)
        if isinstance(event, events.ScenarioFinished):
            _note(event, outcome)
    return outcome


def _note(event: events.ScenarioFinished, outcome: Outcome) -> None:
    recorder = event.recorder
    for case_id, node in recorder.cases.items():
        response = recorder.find_response(case_id=case_id)
        if response is not None and node.parent_id is None:
            outcome.statuses[node.value.operation.label][response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                key = (recorder.cases[case_id].value.operation.label, check.failure_info.failure.title)
                told = f"{check.failure_info.failure.message}\n{check.failure_info.code_sample}"
                outcome.failures.setdefault(key, told)


def _operations(document: dict[str, Any], *, with_token: bool = False) -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "security" in operation or not with_token
    }


def test_no_answer_is_another_than_the_document_says(fed: Service) -> None:
    outcome = _ask(fed, fed.tenant.token)
    assert outcome.failures == {}
    succeeded = {name for name, statuses in outcome.statuses.items() if min(statuses) < 300}
    assert succeeded == _operations(fed.document) - SIGNED_BY_VENDORS


def test_nothing_is_done_for_a_token_without_the_scopes(fed: Service) -> None:
    token = TenantCaller(fed.client, fed.tenant.tenant_id, OPERATOR).token
    outcome = _ask(fed, token, fuzzing={"enabled": False})
    assert outcome.failures == {}
    secured = _operations(fed.document, with_token=True) - {WEBHOOK_STATUS}  # which operators may see
    assert {name: 403 in outcome.statuses[name] for name in secured} == dict.fromkeys(secured, True)
    assert [name for name in secured if min(outcome.statuses[name]) < 400] == []
