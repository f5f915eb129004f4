"""How often one may ask: each address, each tenant, and health at any rate."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import httpx
import pytest

from pos_core.settings import get_settings
from tests.webhook_api.conftest import Bearer, serving
from tests.webhook_api.probes import probed
from webhook_api.edge.rates import Rate, Windows
from webhook_api.problems import MEDIA_TYPE

Service = Callable[..., httpx.Client]


@pytest.fixture
def limited(settings_of_service: pytest.MonkeyPatch) -> Iterator[Service]:
    """Serves the probes with settings that are given."""
    with ExitStack() as stack:

        def serve(**variables: str) -> httpx.Client:
            for name, value in variables.items():
                settings_of_service.setenv(name, value)
            get_settings.cache_clear()
            return stack.enter_context(serving(probed()))

        yield serve


def _path(tenant_id: UUID) -> str:
    return f"/api/v1/tenants/{tenant_id}/pos/probe"


def _assert_refused(answer: httpx.Response, limit: int, window: int) -> None:
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.json()["code"] == "too_many_requests"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert 1 <= int(answer.headers["Retry-After"]) <= window
    assert answer.headers["RateLimit-Limit"] == str(limit)
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Policy"] == f"{limit};w={window}"
    assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]


def test_a_tenant_asks_so_often_and_another_is_not_held_up(
    limited: Service, tenant_id: UUID, bearer: Bearer
) -> None:
    service = limited(POS_RATE_LIMIT_PER_TENANT="3/hour")
    answers = [service.get(_path(tenant_id), headers=bearer()) for _ in range(4)]
    assert [each.headers["RateLimit-Remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    _assert_refused(answers[-1], 3, 3600)
    other = uuid4()
    assert service.get(_path(other), headers=bearer(of=other)).status_code == 200


def test_logins_that_fail_count_for_their_address(limited: Service, tenant_id: UUID, bearer: Bearer) -> None:
    service = limited(POS_RATE_LIMIT_PER_ADDRESS="3/minute")
    bad = {"Authorization": "Bearer guessed"}
    assert [service.get(_path(tenant_id), headers=bad).status_code for _ in range(3)] == [401] * 3
    _assert_refused(service.get(_path(tenant_id), headers=bearer()), 3, 60)
    _assert_refused(service.get("/nothing"), 3, 60)
    assert service.get("/health/live").status_code == 200


def test_a_tenant_that_was_refused_is_not_asked_for_by_guessing(
    limited: Service, tenant_id: UUID, bearer: Bearer
) -> None:
    service = limited(POS_RATE_LIMIT_PER_TENANT="1/hour")
    other = uuid4()
    assert service.get(_path(tenant_id), headers=bearer(of=other)).status_code == 404
    assert service.get(_path(tenant_id), headers=bearer()).status_code == 200


def test_behind_a_trusted_proxy_each_client_has_its_own_limit(limited: Service) -> None:
    service = limited(POS_RATE_LIMIT_PER_ADDRESS="1/hour", POS_TRUSTED_PROXIES="127.0.0.1")
    first, second = ({"X-Forwarded-For": f"198.51.100.{number}"} for number in (1, 2))
    statuses = [service.get("/nothing", headers=each).status_code for each in (first, second, first)]
    assert statuses == [404, 404, 429]


def test_nobody_else_can_pretend_to_be_somebody_else(limited: Service) -> None:
    service = limited(POS_RATE_LIMIT_PER_ADDRESS="1/hour")
    first, second = ({"X-Forwarded-For": f"198.51.100.{number}"} for number in (1, 2))
    statuses = [service.get("/nothing", headers=each).status_code for each in (first, second)]
    assert statuses == [404, 429]


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_window_moves() -> None:
    clock = Clock()
    windows = Windows(clock)
    assert [windows.acquire_entry("a", 2, 60) for _ in range(3)] == [True, True, False]
    clock.now += 59
    assert not windows.acquire_entry("a", 2, 60)
    clock.now += 1
    assert windows.get_moving_window("a", 2, 60) == (clock.now, 0)
    assert windows.acquire_entry("a", 2, 60)
    assert windows.get_moving_window("a", 2, 60) == (clock.now, 1)


def test_callers_who_are_gone_are_forgotten() -> None:
    clock = Clock()
    windows = Windows(clock)
    for number in range(1000):
        assert windows.acquire_entry(f"old-{number}", 2, 60)
    clock.now += 60
    for number in range(501):
        assert windows.acquire_entry(f"new-{number}", 2, 60)
    assert set(windows.hits) == {f"new-{number}" for number in range(501)}


def test_the_state_of_a_request_tells_of_the_nearest_limit() -> None:
    clock = Clock()
    from pos_core.errors import TooManyRequestsError

    state: dict[str, object] = {}
    Rate("9/minute", "from here", clock).take("a", state)
    tenants = Rate("2/minute", "of this tenant", clock)
    tenants.take("a", state)
    assert vars(state["rate_limit"]) == {
        "limit": 2, "remaining": 1, "reset_seconds": 60, "policy_seconds": 60,
    }  # fmt: skip
    tenants.take("a", state)
    clock.now += 20
    with pytest.raises(TooManyRequestsError, match="more requests of this tenant than 2/minute") as caught:
        tenants.take("a", state)
    assert caught.value.retry_after_seconds == 40
