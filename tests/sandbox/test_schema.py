"""Answers against the vendor's own schemas where they are at hand, and against ours always."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sandbox.engine import Options
from sandbox.square.driver import ROOT, Driver, serving
from tests.sandbox.square_keys import KEYS

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))
SPECIFICATION = REFERENCE / "vendor_specs" / "square" / "api.json"

# Answered since 2026, not in the specification of 2025-08-20 yet; created_at never was.
NEWER_KEYS = {"total_card_surcharge_money", "card_surcharge_money", "created_at"}
FUTURE_VALUE = "BREAD_POINTS"

MONEY = {"amount": int, "currency": str}
LINE = {
    "uid": str,
    "quantity": str,
    "item_type": str,
    "total_money": MONEY,
    "total_tax_money": MONEY,
}
SHAPES: dict[str, dict[str, Any]] = {
    "Order": {"id": str, "location_id": str, "created_at": str, "updated_at": str, "state": str},
    "Payment": {"id": str, "created_at": str, "updated_at": str, "amount_money": MONEY,
                "total_money": MONEY, "status": str, "source_type": str, "order_id": str},
    "PaymentRefund": {"id": str, "status": str, "amount_money": MONEY, "order_id": str},
    "CatalogObject": {"type": str, "id": str, "version": int, "is_deleted": bool},
    "Location": {"id": str, "timezone": str, "currency": str, "status": str, "merchant_id": str},
    "Merchant": {"id": str, "country": str, "currency": str, "main_location_id": str},
}  # fmt: skip
Documents = list[tuple[str, dict[str, Any]]]


def read(driver: Driver, account: int) -> Documents:
    """Every document of an account with the name of its schema."""
    body = {"include_deleted_objects": True}
    objects = driver.post("/v2/catalog/search", body, account).json()["objects"]
    named: dict[str, list[dict[str, Any]]] = {
        "Order": list(driver.orders(account).values()),
        "Payment": driver.payments(account),
        "PaymentRefund": driver.listed("/v2/refunds", "refunds", account),
        "CatalogObject": objects,
        "Location": driver.get("/v2/locations", account).json()["locations"],
        "Merchant": driver.get("/v2/merchants", account).json()["merchant"],
    }
    return [(name, document) for name, each in named.items() for document in each]


@pytest.fixture(scope="module")
def documents() -> Iterator[Documents]:
    """Every document of three markets after a round of edits."""
    with serving(Options(merchants=3, orders=330)) as driver:
        driver.control("edits", {})
        yield [each for account in range(3) for each in read(driver, account)]


def unknown_keys(schemas: dict[str, Any], name: str, document: dict[str, Any]) -> Iterator[str]:
    """Keys that a schema does not have, deep inside too."""
    properties = schemas[name].get("properties", {})
    for key, value in document.items():
        schema = properties.get(key)
        if schema is None:
            yield f"{name}.{key}"
            continue
        reference = schema.get("$ref") or schema.get("items", {}).get("$ref")
        inner = value if isinstance(value, list) else [value]
        if reference:
            for each in inner:
                if isinstance(each, dict):
                    yield from unknown_keys(schemas, reference.rpartition("/")[2], each)


def mismatches(shape: dict[str, Any], document: dict[str, Any], path: str) -> Iterator[str]:
    """Where a document is not of a shape."""
    for key, wanted in shape.items():
        value = document.get(key)
        if isinstance(wanted, dict):
            inner = value if isinstance(value, dict) else {}
            yield from mismatches(wanted, inner, f"{path}.{key}")
        elif type(value) is not wanted:
            yield f"{path}.{key} is {value!r}"


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside a document with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from walk(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from walk(each, f"{path}[]")


def test_documents_have_the_shapes_we_expect(documents: Documents) -> None:
    assert {name for name, _ in documents} == set(SHAPES)
    problems = [each for name, doc in documents for each in mismatches(SHAPES[name], doc, name)]
    for name, document in documents:
        for line in document.get("line_items", []) if name == "Order" else []:
            problems += mismatches(LINE, line, "line")
    assert problems == []


def test_keys_are_missing_rather_than_null_and_money_is_whole(documents: Documents) -> None:
    for name, document in documents:
        for path, value in walk(document):
            assert value is not None, f"{name}{path}"
            assert not isinstance(value, float), f"{name}{path}"
            if path.endswith("_money"):
                assert set(value) == {"amount", "currency"}, f"{name}{path}"
                assert type(value["amount"]) is int, f"{name}{path}"


def kind(value: Any) -> str:
    """What a value is, in the words of our list of keys."""
    names = {dict: "object", list: "array", str: "text", int: "whole", bool: "truth"}
    return names.get(type(value), type(value).__name__)


def strangers(name: str, document: dict[str, Any]) -> Iterator[str]:
    """Keys that our own list does not have, or has as something else."""
    known = {parent: set(keys.split()) for parent, keys in KEYS[name].items()}
    for path, value in walk(document):
        parent, _, key = path.lstrip(".").rpartition(".")
        if not key or key.endswith("[]") or parent.endswith("_money"):
            continue
        if f"{key}:{kind(value)}" not in known.get(parent, set()):
            yield f"{name} {parent}.{key}: {kind(value)}"


def test_no_document_has_a_key_that_our_list_does_not_have(documents: Documents) -> None:
    assert [each for name, document in documents for each in strangers(name, document)] == []


def test_a_key_or_a_kind_of_value_that_is_not_listed_is_found(documents: Documents) -> None:
    order = next(document for name, document in documents if name == "Order" and "line_items" in document)
    line = {**order["line_items"][0], "quantity": 1, "surprise": "x"}
    found = list(strangers("Order", {**order, "line_items": [line]}))
    assert sorted(found) == ["Order line_items[].quantity: whole", "Order line_items[].surprise: text"]


# Without the specification there is nothing to compare with; the tests above compare with our own list.
if SPECIFICATION.exists():

    def test_documents_are_valid_by_the_vendors_specification(documents: Documents) -> None:
        specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
        components = specification["components"]
        validators = {
            name: Draft7Validator({"$ref": f"#/components/schemas/{name}", "components": components})
            for name in SHAPES
        }
        problems: set[str] = set()
        for name, document in documents:
            for error in validators[name].iter_errors(document):
                if error.instance != FUTURE_VALUE:
                    problems.add(f"{name} {error.json_path}: {error.message}")
            for key in unknown_keys(components["schemas"], name, document):
                if key.rpartition(".")[2] not in NEWER_KEYS:
                    problems.add(key)
        assert problems == set()
