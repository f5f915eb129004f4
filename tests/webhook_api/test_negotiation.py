"""What a client accepts and what it has already."""

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException

from webhook_api.negotiation import chosen_media_type, has_already

OFFERED = ("application/json", "text/csv", "application/x-ndjson")


def _request(name: str, *values: str) -> Request:
    headers = [(name.encode(), value.encode("latin-1")) for value in values]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ((), "application/json"),
        (("*/*",), "application/json"),
        (("text/*",), "text/csv"),
        (("TEXT/CSV; charset=utf-8",), "text/csv"),
        (("application/json;q=0.5, text/csv",), "text/csv"),
        (("application/json;q=0, */*",), "text/csv"),
        (("application/json;q=0.001", "application/x-ndjson;q=0.002"), "application/x-ndjson"),
        (("text/html, application/xml;q=0.9, */*;q=0.8",), "application/json"),
        (("text/csv;q=rubbish, application/json;q=0.1",), "application/json"),
    ],
)
def test_the_best_liked_type_is_chosen(accept: tuple[str, ...], chosen: str) -> None:
    assert chosen_media_type(_request("accept", *accept), OFFERED) == chosen


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", ";;,,", "text/csv;q=0.0", "é"])
def test_what_is_not_offered_is_refused(accept: str) -> None:
    with pytest.raises(HTTPException) as caught:
        chosen_media_type(_request("accept", accept), OFFERED)
    assert caught.value.status_code == 406


@pytest.mark.parametrize(
    ("sent", "has"),
    [((), False), (('"a"',), True), (('W/"a"',), True), (('"b", "a"',), True), (("*",), True),
     (('"b"',), False), (("a",), False), (('"b"', '"a"'), True)],
)  # fmt: skip
def test_a_known_tag_is_found(sent: tuple[str, ...], has: bool) -> None:
    assert has_already(_request("if-none-match", *sent), '"a"') is has
