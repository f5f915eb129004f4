"""What a configuration's state is called: nothing sold is not the same as not asked."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pos_core import errors
from pos_core.health import Health, LastSync, Remedy, State, of_configuration, of_sync, remedy, spoken

UNTIL = datetime(2026, 4, 12, 18, 0, tzinfo=UTC)


def _last(**given: Any) -> LastSync:
    return LastSync(
        **{
            "status": "succeeded",
            "read_until": UNTIL,
            "documents_read": 0,
            "documents_new": 0,
            "documents_changed": 0,
            "error_class": None,
            "error": None,
            **given,
        }
    )


def _failed(error_class: str, error: str, failures: int = 1) -> Health:
    return of_sync(
        "Vendor", _last(status="failed", error_class=error_class, error=error, documents_read=3), failures
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, 0), "Vendor has nothing, 0 documents."),
        ((12, 0, 0), "Vendor has nothing new, its 12 documents were known."),
        ((12, 3, 1), "Vendor has 12 documents: 3 new, 1 changed, 8 known."),
    ],
)
def test_what_was_read_completely_says_until_when_and_what_there_was(
    counts: tuple[int, int, int], words: str
) -> None:
    read, new, changed = counts
    health = of_sync("Vendor", _last(documents_read=read, documents_new=new, documents_changed=changed))
    assert health == Health(State.READ, f"Read completely until 2026-04-12 18:00:00 UTC: {words}")


def test_what_could_not_be_asked_never_looks_like_nothing_sold() -> None:
    health = _failed("unreachable", "Vendor does not answer.")
    assert health.state is State.FAILING
    assert health.message == "Could not ask: Vendor does not answer. It is tried again by itself."
    assert "documents" not in health.message


def test_what_was_postponed_says_that_it_was_not_asked() -> None:
    said = "Vendor does not answer at the moment; it is read again after 12:00."
    health = of_sync("Vendor", _last(status="postponed", error_class="vendor_down", error=said))
    assert health == Health(State.VENDOR_DOWN, f"Not asked: {said}")


@pytest.mark.parametrize("error_class", ["auth", "permission", "credentials"])
def test_after_some_refusals_in_a_row_it_says_to_connect_again(error_class: str) -> None:
    assert [_failed(error_class, "No.", failures).state for failures in (1, 2, 3, 40)] == [
        State.FAILING,
        State.FAILING,
        State.CONNECT_AGAIN,
        State.CONNECT_AGAIN,
    ]
    message = _failed(error_class, "No.", 40).message
    assert "refused 40 times in a row" in message
    assert message.endswith("until somebody connects the account again.")


def test_failures_of_other_kinds_never_say_to_connect_again() -> None:
    for error_class in ("unreachable", "rate_limit", "vendor_fault", "landing", "internal"):
        assert _failed(error_class, "No.", 40).state is State.FAILING
    assert "somebody has to look" in _failed("landing", "It could not be landed.").message


def test_every_failure_of_a_vendor_is_told_apart_and_has_its_remedy() -> None:
    expected: dict[type[errors.PosError], Remedy] = {
        errors.VendorAuthError: Remedy.TENANT,
        errors.VendorScopeError: Remedy.TENANT,
        errors.VendorRateLimitError: Remedy.TIME,
        errors.VendorUnreachableError: Remedy.TIME,
        errors.VendorFaultError: Remedy.TIME,
        errors.VendorAnswerError: Remedy.TIME,
        errors.VendorDownError: Remedy.TIME,
        errors.VendorRequestError: Remedy.OPERATOR,
    }
    assert {each: remedy(each.error_class) for each in expected} == expected
    assert len({each.error_class for each in expected}) == len(expected)


def test_a_configuration_without_a_sync_and_one_that_is_not_read() -> None:
    never = of_configuration("Vendor", "active", None, 0, None)
    assert never == Health(State.NEVER_READ, "Vendor has not been asked yet.")
    disabled = of_configuration("Vendor", "disabled", "the bakery closed", 0, _last())
    assert disabled == Health(State.INACTIVE, "Nothing is read, it is disabled: the bakery closed.")
    deleted = of_configuration("Vendor", "deleted", "deleted", 0, None)
    assert deleted.message == "Nothing is read, it is deleted."
    assert of_configuration("Vendor", "active", None, 0, _last()).state is State.READ


def test_hours_of_the_week_in_words() -> None:
    monday, sunday = [4, 5, 6, 15], [6 * 24 + 23, 6 * 24]
    assert spoken([*sunday, *monday]) == "Mon 4-7, 15-16; Sun 0-1, 23-24 (UTC)"
