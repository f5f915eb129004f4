"""A body that is too long is refused: by its length, and while it is read when it does not say."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from tests.webhook_api.conftest import Bearer, serving
from tests.webhook_api.probes import probed
from webhook_api.edge.bodies import LONGEST_BODY_BYTES
from webhook_api.problems import MEDIA_TYPE

PIECE = b"x" * 100_000


@pytest.fixture
def service(settings_of_service: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    with serving(probed()) as client:
        yield client


@pytest.fixture
def path(tenant_id: UUID) -> str:
    return f"/api/v1/tenants/{tenant_id}/pos/probe"


def _pieces(total: int) -> Iterator[bytes]:
    while total > 0:
        yield PIECE[:total]
        total -= len(PIECE)


def _assert_too_large(answer: httpx.Response) -> None:
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.json()["code"] == "too_large"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("where", ["", "/stream"], ids=["json", "stream"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_that_is_too_long_is_refused(
    service: httpx.Client, path: str, bearer: Bearer, where: str, chunked: bool
) -> None:
    length = LONGEST_BODY_BYTES + 1
    content = _pieces(length) if chunked else b"x" * length
    headers = {**bearer(), "Content-Type": "application/json"}
    _assert_too_large(service.post(path + where, content=content, headers=headers))


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_the_longest_body_is_taken(service: httpx.Client, path: str, bearer: Bearer, chunked: bool) -> None:
    content = _pieces(LONGEST_BODY_BYTES) if chunked else b"x" * LONGEST_BODY_BYTES
    answer = service.post(f"{path}/stream", content=content, headers=bearer())
    assert answer.json() == {"bytes": LONGEST_BODY_BYTES}


def test_a_length_is_refused_before_anything_is_read_or_anybody_known(
    service: httpx.Client, path: str
) -> None:
    _assert_too_large(service.post(path, content=b"x" * (LONGEST_BODY_BYTES + 1)))
