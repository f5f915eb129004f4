"""Answers against the vendor's own documents where they are at hand, and against the project's always.

What real answers show and the vendor's documents do not allow is written down here; nothing else passes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from sandbox.hosting import ROOT
from sandbox.toast.config import KINDS
from sandbox.toast.driver import Driver
from tests.sandbox.toast.shapes import SCHEMAS

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared")) / "vendor_specs" / "toast"
ORDERS, CONFIG = "toast-orders-2.9.0.swagger2.yaml", "toast-config-api.yaml"
FILES = {
    **dict.fromkeys(("Order", "Payment"), ORDERS),
    **dict.fromkeys(KINDS.values(), CONFIG),
    **dict.fromkeys(("RestaurantInfo", "Restaurant"), "toast-restaurants-api.yaml"),
    "PartnerAccessExternalRep": "toast-partners-api.yaml",
    **dict.fromkeys(("AuthenticationResponse", "ErrorMessage"), "toast-authentication-api.yaml"),
}
# Null in saved answers, although the documents allow null nowhere.
NULLS_OF_REAL_ANSWERS = {
    "amountTendered", "appliedLoyaltyInfo", "appliedPackagingInfo", "appliedPromoCode", "approver",
    "canRetry", "cardEntryMode", "cardPaymentId", "cardType", "cashDrawer", "closedDate",
    "curbsidePickupInfo", "customer", "deletedDate", "deliveredDate", "deliveryEmployee",
    "deliveryInfo", "deliveryState", "developerMessage", "discountPercent", "dispatchedDate",
    "duration", "estimatedFulfillmentDate", "externalId", "fieldName", "houseAccount", "id",
    "itemGroup", "last4Digits", "link", "loyaltyDetails", "mcaRepaymentAmount", "messageKey",
    "optionGroup", "optionGroupPricingMode", "originalProcessingFee", "otherPayment", "paidDate",
    "preModifier", "processingState", "promisedDate", "refund", "refundDetails", "restaurantService",
    "revenueCenter", "salesCategory", "server", "serviceArea", "tabName", "table", "voidBusinessDate",
    "voidDate", "voidInfo", "voidReason",
}  # fmt: skip
# Null by the documents' own words, although not by their schemas.
NULLS_IN_WORDS = {"item", "paymentGuid", "serviceChargeCalculation", "scope", "idToken", "refreshToken"}
# The vendor announces new values of its enumerations; the sandbox answers some that nobody knows yet.
FUTURE_VALUES = {"PACKAGING_DEPOSIT", "ELO", "BREAD_POINTS", "BREAD_SUBSCRIPTION"}
# A number in saved answers, text in the documents.
NUMBERS_FOR_TEXT = {"status"}
# In saved answers, not in the documents.
NEWER_KEYS = {"@class"}

Documents = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def documents(grown: Driver) -> Documents:
    """Every document of two accounts with the name of its schema."""
    found: Documents = []
    for account in range(2):
        orders = grown.orders(account).values()
        found += [("Order", order) for order in orders]
        found += [
            ("Payment", grown.read(f"/orders/v2/payments/{payment['guid']}", account))
            for order in list(orders)[:60]
            for check in order["checks"]
            for payment in check["payments"]
        ]
        for kind, name in KINDS.items():
            found += [(name, each) for each in grown.configured(kind, account)]
        guid, group = grown.restaurant(account), grown.account_id(account)
        found.append(("RestaurantInfo", grown.read(f"/restaurants/v1/restaurants/{guid}", account)))
        listed = grown.read(f"/restaurants/v1/groups/{group}/restaurants", account)
        found += [("Restaurant", each) for each in listed]
        found.append(("AuthenticationResponse", grown.login(account).json()))
        found.append(("ErrorMessage", grown.login(account, clientSecret="wrong").json()))
    found += [("PartnerAccessExternalRep", each) for each in grown.read("/partners/v1/restaurants", 1, None)]
    return found


def vendor_schemas() -> dict[str, dict[str, Any]]:
    """Per name, the vendor's document as a schema that points to it; none where it is not at hand."""
    if not REFERENCE.is_dir():
        return {}
    read = {
        file: yaml.safe_load((REFERENCE / file).read_text(encoding="utf-8")) for file in {*FILES.values()}
    }
    found: dict[str, dict[str, Any]] = {}
    for name, file in FILES.items():
        if "definitions" in read[file]:
            found[name] = {"$ref": f"#/definitions/{name}", "definitions": read[file]["definitions"]}
        else:
            found[name] = {"$ref": f"#/components/schemas/{name}", "components": read[file]["components"]}
    return found


def project_schemas() -> dict[str, dict[str, Any]]:
    """Per name, the project's own schema."""
    return {name: {"$ref": f"#/definitions/{name}", "definitions": SCHEMAS} for name in FILES}


def problems(schema: dict[str, Any], name: str, documents: Documents) -> Iterator[tuple[str, str, object]]:
    """Every violation: the key it is at, what is wrong, the value."""
    validator = Draft7Validator(schema)
    for document_name, document in documents:
        if document_name != name:
            continue
        for error in validator.iter_errors(document):
            keys = [each for each in error.absolute_path if isinstance(each, str)]
            yield keys[-1] if keys else "", f"{name} {error.json_path}: {error.message[:150]}", error.instance


@pytest.mark.parametrize("name", FILES)
def test_documents_are_valid_by_the_projects_schemas(documents: Documents, name: str) -> None:
    assert name in {each for each, _ in documents}
    assert [message for _, message, _ in problems(project_schemas()[name], name, documents)] == []


def test_the_vendors_documents_allow_all_but_the_written_deviations(documents: Documents) -> None:
    """Where they are not at hand the project's schemas, which allow nothing that is not written, stand in."""
    wrong: list[str] = []
    for name, schema in (vendor_schemas() or project_schemas()).items():
        for key, message, value in problems(schema, name, documents):
            is_null = value is None and key in NULLS_OF_REAL_ANSWERS | NULLS_IN_WORDS
            is_number = isinstance(value, int) and key in NUMBERS_FOR_TEXT
            is_future = isinstance(value, str) and value in FUTURE_VALUES
            if not is_null and not is_number and not is_future:
                wrong.append(message)
    assert wrong == []


def test_every_written_deviation_happens(documents: Documents) -> None:
    nulls: set[str] = set()
    words: set[object] = set()
    for _, document in documents:
        for key, value in walk(document):
            if value is None:
                nulls.add(key)
            elif isinstance(value, str):
                words.add(value)
    assert nulls == NULLS_OF_REAL_ANSWERS | NULLS_IN_WORDS
    assert words >= FUTURE_VALUES


def test_no_key_is_unknown_to_the_vendors_documents(documents: Documents) -> None:
    """The project's schemas have the same keys, so that they stand in where the documents are missing."""
    unknown: set[str] = set()
    for name, schema in (vendor_schemas() or project_schemas()).items():
        for document_name, document in documents:
            if document_name == name:
                unknown |= set(unknown_keys(schema, schema, document, name))
    assert {key for key in unknown if key.rpartition(".")[2] not in NEWER_KEYS} == set()


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key inside a document with its value."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            for key, inner in each.items():
                yield key, inner
                yield from walk(inner)


def properties(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """All properties of a schema, through references and compositions."""
    found = dict(schema.get("properties", {}))
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found |= properties(root, target)
    for each in [*schema.get("allOf", []), *schema.get("anyOf", [])]:
        found |= properties(root, each)
    return found


def unknown_keys(
    root: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], path: str
) -> Iterator[str]:
    """Keys that a schema does not have, deep inside too."""
    known = properties(root, schema)
    if not known:
        return
    for key, value in document.items():
        if key not in known:
            yield f"{path}.{key}"
            continue
        inner = known[key].get("items", known[key])
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from unknown_keys(root, inner, each, f"{path}.{key}")
