"""JSON without loss, and what PostgreSQL cannot hold found before it lands."""

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import json_text
from pos_core.database.address import DatabaseAddress
from pos_core.errors import DocumentError

fractions = st.decimals(-(10**30), 10**30, places=7) | st.decimals(-(10**30), 10**30)
numbers = st.integers() | fractions.filter(lambda number: abs(int(number.as_tuple().exponent)) < 1000)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
odd_texts = st.text(st.characters(codec=None))
odd_numbers = numbers | st.from_regex(r"-?[1-9]\d?\.?\d?[eE][+-]?\d{1,6}", fullmatch=True).map(Decimal)
odd_values = st.recursive(
    st.none() | odd_numbers | odd_texts | st.just(Decimal("NaN")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=6,
)
quick = settings(deadline=None, derandomize=True, database=None, max_examples=150)


@quick
@given(values)
def test_what_is_written_reads_as_the_same(value: Any) -> None:
    text = json_text.canonical(value)
    again = json_text.parse(text)
    assert again == value
    assert json_text.canonical(again) == text
    assert json_text.parse(text.encode()) == value


@quick
@given(odd_values)
def test_the_quick_way_to_a_text_writes_what_the_slow_one_does(value: Any) -> None:
    try:
        text = json_text.canonical(value)
    except DocumentError:
        return
    assert text == json_text.to_text(value)


@pytest.mark.parametrize("text", ["\u2028", "\u2029", "\x7f", "\x1f\b\f", "\U0001f956", "</script>", "\\/"])
def test_odd_characters_are_written_the_same_either_way(text: str) -> None:
    assert json_text.canonical({text: [text]}) == json_text.to_text({text: [text]})


@pytest.fixture(scope="module")
def connection(server: DatabaseAddress) -> Iterator[psycopg.Connection]:
    """A connection to a real PostgreSQL."""
    with psycopg.connect(server.libpq(), autocommit=True) as connection:
        yield connection


def test_the_database_holds_whatever_is_accepted(connection: psycopg.Connection) -> None:
    accepted = []

    @quick
    @given(odd_values)
    def check(value: Any) -> None:
        try:
            text = json_text.canonical(value)
        except DocumentError:
            return
        accepted.append(text)
        connection.execute("select cast(cast(%s as json) as jsonb)", (text,))

    check()
    assert len(accepted) > 30


@pytest.mark.parametrize(
    "text",
    ["1.10", "0.1", "1E+400", "-0.000001", "12345678901234567890123456789012345678901234567890", "1e-300"],
)
def test_numbers_keep_every_digit(text: str) -> None:
    written = json_text.canonical(json_text.parse(f'{{"n":{text}}}'))
    assert written.lower().replace("+", "") == f'{{"n":{text}}}'.lower().replace("+", "")


def test_an_integer_of_5000_digits_is_read_and_refused_alone() -> None:
    digits = "9" * 5000
    assert sys.get_int_max_str_digits() < 5000
    parsed = json_text.parse(f'[{{"n":{digits}}}, {{"n":1}}]')
    with pytest.raises(DocumentError, match="out of range"):
        json_text.canonical(parsed[0])
    assert json_text.to_text(parsed[0]) == f'{{"n":{digits}}}'
    assert json_text.canonical(parsed[1]) == '{"n":1}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "not finite"),
        ("-Infinity", "not finite"),
        ("1e99999999999999999999", "not finite"),
        ("1e-99999999999999999999", "not finite"),
        ("1e1001", "out of range"),
        ("1e-1001", "out of range"),
        ("0e99999", "out of range"),
        ("0." + "1" * 2000, "out of range"),
        ('"a\\u0000b"', "NUL"),
        ('"a\x00b"', "NUL"),
        ('"\\\\\\u0000"', "NUL"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udfff": 1}', "surrogate"),
        ('{"\\u0000": 1}', "NUL"),
        ("[" * 102 + "]" * 102, "nested deeper"),
    ],
)
def test_what_the_database_cannot_hold_is_refused_with_its_reason(text: str, reason: str) -> None:
    parsed = json_text.parse(f'{{"id":{text}}}')
    with pytest.raises(DocumentError, match=reason):
        json_text.canonical(parsed)
    json_text.to_text(parsed)


@pytest.mark.parametrize("text", ['"\\\\u0000"', '"u0000"', '"\\ud83e\\udd56"', "[" * 90 + "]" * 90, '"\t"'])
def test_what_only_looks_odd_is_accepted(text: str) -> None:
    assert json_text.parse(json_text.canonical(json_text.parse(text))) == json_text.parse(text)


def test_bytes_that_are_no_text_cost_only_their_own_document() -> None:
    page = json_text.parse(b'\xef\xbb\xbf[{"name":"caf\xe9"},{"name":"caf\xc3\xa9"}]')
    with pytest.raises(DocumentError, match="surrogate"):
        json_text.canonical(page[0])
    assert json_text.canonical(page[1]) == '{"name":"café"}'


@pytest.mark.parametrize("text", ["", "{", "<html>", "[1,]", "[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the parser's own words
        json_text.parse(text)


def test_keys_are_sorted_so_that_the_same_content_is_the_same_text() -> None:
    assert json_text.canonical({"b": 1, "a": {"d": [], "c": None}}) == '{"a":{"c":null,"d":[]},"b":1}'


def test_cutting_keeps_the_upper_levels() -> None:
    assert json_text.cut({"a": [1, [2, [3]]], "b": "x"}, 2) == {"a": [1, None], "b": "x"}


@pytest.mark.parametrize("levels", [1, 99, 100, 101, 150])
def test_what_is_too_deep_is_what_the_canonical_text_refuses(levels: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        value = json_text.parse(opening * levels + "1" + closing * levels)
        assert json_text.is_too_deep(value) is (levels > 100)
        if levels > 100:
            with pytest.raises(DocumentError, match="nested deeper"):
                json_text.canonical(value)


def test_ascii_keeps_every_character_and_digit() -> None:
    value = json_text.parse('{"b":1.50,"a":"caf\\u00e9 \\ud83e \\u0000"}')
    text = json_text.to_ascii(value)
    assert text == b'{"b":1.50,"a":"caf\\u00e9 \\ud83e \\u0000"}'
    assert json_text.parse(text) == value
