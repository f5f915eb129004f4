"""Answers against the vendor's own OpenAPI documents where they are at hand, and against ours always."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from sandbox.engine import Options
from sandbox.hosting import ROOT
from sandbox.lightspeed.driver import ALL, Driver, exact, serving
from tests.sandbox.lightspeed.shapes import ANSWERS

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))
FOLDER = REFERENCE / "vendor_specs" / "lightspeed"
PATHS = {
    "sales": ("v2", "/f/v2/business-location/{businessLocationId}/sales"),
    "sales-daily": ("v2", "/f/v2/business-location/{businessLocationId}/sales-daily"),
    "financials": ("v1", "/f/finance/{businessLocationId}/financials/{from}/{to}"),
    "businesses": ("v1", "/f/data/businesses"),
    "tax-rates": ("v1", "/f/finance/{businessLocationId}/tax-rates"),
    "paymentMethods": ("v1", "/f/finance/{businessLocationId}/paymentMethods"),
    "accountingGroups": ("v1", "/f/finance/{businessLocationId}/accountingGroups"),
    "aggregatedSales": ("v1", "/f/finance/{businessLocationId}/aggregatedSales"),
}
# What answers have although the vendor's documents do not say so.
NUMBERS_AS_TEXT = {
    "totalNetAmountWithTax", "totalNetAmountWithoutTax", "menuListPrice", "unitCostPrice", "serviceCharge",
    "serviceChargeRate", "discountAmount", "accountDiscountAmount", "totalDiscountAmount", "taxAmount",
    "taxRate", "taxRatePercentage", "quantity", "netAmountWithTax", "tip", "surcharge", "roundingAmount",
    "deviceId",
}  # fmt: skip
ENDINGS = {"nextPageToken"}
FUTURE_TYPE = "TASTING"
OTHER_SPELLINGS = {"blId", "timeOfOpening", "timeOfCloseAndPaid", "timeOfSale"}
NEWER_KEYS = {"financials": {"nextPageToken"}}
DEVIATIONS = {f"{name} is a number" for name in NUMBERS_AS_TEXT}
DEVIATIONS |= {f"{name} is null" for name in ENDINGS} | {f"type is {FUTURE_TYPE}"}
DEVIATIONS |= {f"{name} is not known" for name in OTHER_SPELLINGS | ENDINGS}
Answers = list[tuple[str, Any]]


def read(driver: Driver, account: int, place: int) -> Answers:
    """Every kind of answer about one location."""
    location = driver.locations(account)[place]
    older, day = f"/f/finance/{location}", driver.now()[:10]
    low = driver.earliest(account, location)
    found = [("sales", page) for page in driver.pages(account, place, pageSize=40)]
    # Lists of several lengths, for the end of a list is told in several ways.
    for end in range(8, 13):
        days = {"from_": f"2026-04-{end - 1:02d}T09:00:00Z", "to": f"2026-04-{end:02d}T09:00:00Z"}
        found += [("sales", page) for page in driver.pages(account, place, **days)]
    for name, path, query in (
        ("businesses", "/f/data/businesses", {}),
        ("sales-daily", f"/f/v2/business-location/{location}/sales-daily", {"date": day, "include": ALL}),
        ("financials", f"{older}/financials/{low}/{driver.now()}", {"include": ALL}),
        ("financials", f"{older}/financials/{low}/{driver.now()}", {"pageSize": "10"}),
        ("financials", f"{older}/dailyFinancials", {"includeConsumers": "true", "include": "payments"}),
        ("tax-rates", f"{older}/tax-rates", {}),
        ("paymentMethods", f"{older}/paymentMethods", {}),
        ("accountingGroups", f"{older}/accountingGroups", {}),
        ("aggregatedSales", f"{older}/aggregatedSales", {"groupBy": "accountingGroup,staff"}),
    ):
        found.append((name, exact(driver.get(path, account, **query).raise_for_status())))
    return found


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """Answers of both markets after a round of edits."""
    with serving(Options(merchants=2, orders=440)) as driver:
        driver.edit()
        yield [each for account in range(2) for each in read(driver, account, 0)]


def test_answers_have_the_shapes_we_expect(answers: Answers) -> None:
    assert {name for name, _ in answers} == set(ANSWERS)
    problems = [
        f"{name}{error.json_path}: {error.message[:200]}"
        for name, answer in answers
        for error in Draft202012Validator(ANSWERS[name]).iter_errors(answer)
    ]
    assert problems == []


def test_our_shapes_refuse_what_is_not_of_them(answers: Answers) -> None:
    name, answer = next(each for each in answers if each[0] == "sales")
    first = answer["sales"][0]
    for change in ({"surprise": 1}, {"timeClosed": None}, {"cancelled": "no"}, {"nbCovers": "two"}):
        broken = {**answer, "sales": [{**first, **change}]}
        assert list(Draft202012Validator(ANSWERS[name]).iter_errors(broken))


def specification(version: str) -> Any:
    """One of the vendor's documents."""
    path = FOLDER / f"k-series-financial-{version}.openapi.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def unknown_keys(schema: Any, components: Any, document: Any) -> Iterator[str]:
    """Keys that a schema does not have, deep inside too."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if isinstance(document, list):
        for each in document:
            yield from unknown_keys(schema.get("items", {}), components, each)
    elif isinstance(document, dict) and "properties" in schema:
        for key, value in document.items():
            if key in schema["properties"]:
                yield from unknown_keys(schema["properties"][key], components, value)
            else:
                yield f"{key} is not known"


def described(error: Any) -> str:
    """A difference from the schema in the words of the list of deviations."""
    name = str(error.absolute_path[-1])
    if error.validator == "type" and isinstance(error.instance, Decimal | int):
        return f"{name} is a number"
    if error.validator == "type" and error.instance is None:
        return f"{name} is null"
    if error.validator == "enum":
        return f"{name} is {error.instance}"
    return f"{error.json_path}: {error.message[:200]}"


def differences(found: Answers) -> set[str]:
    """Where answers are not as the vendor's documents say."""
    documents = {version: specification(version) for version in ("v1", "v2")}
    problems: set[str] = set()
    for name, answer in found:
        version, path = PATHS[name]
        components = documents[version]["components"]
        operation = documents[version]["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": components})
        problems |= {described(error) for error in validator.iter_errors(answer)}
        problems |= set(unknown_keys(schema, components["schemas"], answer))
    return problems


# Without the folder there is nothing to compare with; the test before compares with our own schemas.
if FOLDER.exists():

    def test_answers_deviate_from_the_vendors_documents_only_as_listed(answers: Answers) -> None:
        assert differences(answers) == DEVIATIONS

    def test_a_deviation_that_is_not_listed_is_found(answers: Answers) -> None:
        name, answer = next(each for each in answers if each[0] == "sales")
        sale = {**answer["sales"][0], "dineIn": "yes", "surprise": 1}
        found = differences([(name, {**answer, "sales": [sale]})]) - DEVIATIONS
        assert len(found) == 2
        assert "surprise is not known" in found
