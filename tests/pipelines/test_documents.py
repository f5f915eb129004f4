"""One document on its way into raw: which version counts, what is news, and what cannot be landed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import json_text
from pipelines.connector import Identity
from pipelines.documents import Known, Landable, Unlandable, is_news, prepare, rank
from pipelines.square import CONNECTOR
from tests.pipelines.test_json_text import odd_values

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
quick = settings(deadline=None, derandomize=True, database=None, max_examples=300)

KEYS = st.sampled_from(
    ["id", "version", "updated_at", "created_at", "state", "total_money", "amount", "order_id", "card",
     "note", "line_items", "name", "type"]
)  # fmt: skip
VENDOR_TEXTS = st.sampled_from(["OPEN", "2026-04-01T12:00:00Z", "9999-12-31T23:59:59-12:00", "x" * 600])
documents = st.recursive(
    odd_values | VENDOR_TEXTS | st.booleans(),
    lambda inner: st.dictionaries(KEYS, inner, max_size=8) | st.lists(inner, max_size=3),
    max_leaves=10,
)


@quick
@given(st.sampled_from([stream.name for stream in CONNECTOR.streams]), documents)
def test_preparing_never_fails_for_what_a_vendor_wrote(stream: str, document: Any) -> None:
    prepared = prepare(CONNECTOR, stream, document, NOON)
    prepared.text.encode("utf-8", "surrogatepass")
    if isinstance(prepared, Unlandable):
        assert prepared.reason
        assert "\x00" not in (prepared.external_id or "")
        (prepared.external_id or "").encode()
    else:
        assert json_text.canonical(json_text.parse(prepared.text)) == prepared.text
        assert 0 < len(prepared.identity.external_id) <= 500


def nested(levels: int) -> dict[str, Any]:
    """A document with so many levels."""
    document: dict[str, Any] = {"buyer_email_address": "deep@example.com"}
    for _ in range(levels):
        document = {"more": document}
    return {"id": "deep", "more": document}


@pytest.mark.parametrize("levels", [150, 700, 5000])
def test_a_document_nested_too_deeply_is_quarantined_without_what_nobody_can_check(levels: int) -> None:
    prepared = prepare(CONNECTOR, "orders", nested(levels), NOON)
    assert isinstance(prepared, Unlandable)
    assert "nested" in prepared.reason
    assert prepared.text.startswith('{"id":"deep","more":{"more":')
    assert "@" not in prepared.text


def test_what_is_no_object_is_quarantined_without_its_personal_data() -> None:
    prepared = prepare(CONNECTOR, "payments", [{"buyer_email_address": "x@example.com", "id": "p"}], NOON)  # type: ignore[arg-type]
    assert isinstance(prepared, Unlandable)
    assert (prepared.reason, prepared.text) == ("is no JSON object", '[{"id":"p"}]')


@pytest.mark.parametrize(
    ("stream", "document", "reason"),
    [
        ("orders", {"id": "x" * 501}, "has an id of more than 500"),
        ("payments", {"id": "p", "order_id": "x" * 600}, "names an order by more than 500"),
        ("refunds", {"id": "r", "order_id": {"a": "x" * 600}}, "names an order by more than 500"),
        ("orders", {"id": "a\x00b"}, "NUL"),
        ("orders", {"id": "\ud800"}, "surrogate"),
        ("orders", {"id": 5}, "has no id"),
        ("orders", {"id": "  "}, "has no id"),
        ("orders", {}, "has no id"),
    ],
)
def test_ids_that_the_tables_cannot_hold_are_refused(
    stream: str, document: dict[str, Any], reason: str
) -> None:
    prepared = prepare(CONNECTOR, stream, document, NOON)
    assert isinstance(prepared, Unlandable)
    assert reason in prepared.reason


def test_an_order_may_name_anything_in_a_field_that_only_payments_are_found_by() -> None:
    assert isinstance(prepare(CONNECTOR, "orders", {"id": "o", "order_id": "x" * 600}, NOON), Landable)


def test_the_hash_is_of_the_content_alone() -> None:
    one = prepare(CONNECTOR, "orders", {"id": "o", "version": 1, "note": "for Ann"}, NOON)
    same = prepare(CONNECTOR, "orders", {"version": 1, "id": "o", "note": "for Bob"}, LATER)
    other = prepare(CONNECTOR, "orders", {"id": "o", "version": 2}, NOON)
    assert one.content_hash == same.content_hash != other.content_hash


def test_later_version_then_time_then_reading_then_hash_wins() -> None:
    ascending = [
        rank(None, None, None, "a"),
        rank(None, None, None, "b"),
        rank(None, None, NOON, "a"),
        rank(None, None, LATER, "a"),
        rank(None, NOON, None, "a"),
        rank(None, LATER, None, "a"),
        rank(-1, None, None, "a"),
        rank(0, None, None, "a"),
        rank(1, NOON, LATER, "b"),
        rank(1, LATER, NOON, "a"),
        rank(2, None, None, "a"),
    ]
    assert ascending == sorted(ascending)
    assert len(set(ascending)) == len(ascending)


def landable(content: str, version: int | None = None, read_at: datetime | None = NOON) -> Landable:
    """A version of one document."""
    return Landable("orders", Identity("o", version), content, "{}", read_at)


def known(content: str, version: int | None = None, read_at: datetime | None = NOON) -> Known:
    """A version that raw holds."""
    return Known(version, None, read_at, content)


@pytest.mark.parametrize(
    ("document", "before", "expected"),
    [
        (landable("a", 1), [], True),
        (landable("a", 1), [known("a", 1)], False),
        (landable("a", 1, LATER), [known("a", 1)], False),
        (landable("b", 2), [known("a", 1)], True),
        (landable("a", 1), [known("a", 1), known("b", 2)], False),
        (landable("old", 1), [known("b", 2)], True),
        (landable("a", None, LATER), [known("a", None, NOON), known("b", None, NOON)], True),
        (landable("a", None, NOON), [known("a", None, NOON), known("b", None, LATER)], False),
        (landable("a", 1, NOON), [known("a", 1, None)], True),
        (landable("a", 1, None), [known("a", 1, None)], False),
        (landable("a", 1, None), [known("a", 1, NOON)], False),
        (landable("a", None, None), [known("a", None, None), known("b", None, NOON)], False),
    ],
    ids=[
        "never seen", "the newest again", "the newest read later", "a newer one", "an older one again",
        "an older one never seen", "back to what it was", "an older reading again",
        "known from a file, now read", "the file again", "a file of what was read", "an old file again",
    ],
)  # fmt: skip
def test_only_what_can_change_the_log_is_news(
    document: Landable, before: list[Known], expected: bool
) -> None:
    assert is_news(document, before) is expected


@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from([None, 1, 2]), st.sampled_from([None, NOON, LATER])
        ),
        max_size=8,
    )
)
def test_skipping_what_is_no_news_never_changes_which_version_wins(
    versions: list[tuple[str, int | None, datetime | None]],
) -> None:
    """The log without the skipped ones has the same newest content as the log of everything."""
    log: list[Known] = []
    everything = []
    for content, version, read_at in versions:
        # Content says what its version is.
        hashed = f"{content}{version}"
        everything.append(rank(version, None, read_at, hashed))
        if is_news(landable(hashed, version, read_at), log):
            log.append(known(hashed, version, read_at))
    if everything:
        newest = max(rank(one.version, one.updated_at, one.read_at, one.content_hash) for one in log)
        assert newest[-1] == max(everything)[-1]
