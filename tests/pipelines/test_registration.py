"""Which addresses a vendor can send to, and what is said where registering is not possible."""

import pytest

from pipelines.registration import check_address, register, rotate
from pipelines.registration import test as send_test
from pipelines.registry import get_connector
from pos_core.errors import ConfigurationError, SettingsError
from tests.conftest import Project

VENDOR, SANDBOX = "https://vendor.example.com", "http://127.0.0.1:8010"


@pytest.mark.parametrize(
    ("vendor", "address"),
    [
        (VENDOR, "https://pos.example.com/api"),
        (VENDOR, "https://pos.example.com:8443/api"),
        (VENDOR, "https://93.184.215.14/api"),
        (SANDBOX, "http://127.0.0.1:8000/api"),
        (SANDBOX, "http://localhost:8000/api"),
        (SANDBOX, "https://pos.example.com/api"),
    ],
)
def test_a_public_https_address_is_good_and_on_this_machine_plain_http(vendor: str, address: str) -> None:
    check_address("The vendor", vendor, address)


@pytest.mark.parametrize(
    ("vendor", "address"),
    [
        (VENDOR, "http://pos.example.com/api"),
        (VENDOR, "http://127.0.0.1:8000/api"),
        (VENDOR, "https://127.0.0.1:8000/api"),
        (VENDOR, "https://10.0.0.7/api"),
        (VENDOR, "https://localhost/api"),
        (VENDOR, "https://pos/api"),
        (VENDOR, "https://pos.local/api"),
        (VENDOR, "pos.example.com/api"),
        (VENDOR, "https://[/api"),
        (SANDBOX, "http://pos.example.com/api"),
        (SANDBOX, "ftp://127.0.0.1/api"),
    ],
)
def test_any_other_address_is_refused_in_clear_words(vendor: str, address: str) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_BASE_URL must be a public https address"):
        check_address("The vendor", vendor, address)


@pytest.mark.parametrize(
    "address", ["https://me:canary@pos.example.com/api", "https://pos.example.com/?canary"]
)
def test_a_password_in_the_address_is_refused_and_never_repeated(address: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_address("The vendor", VENDOR, address)
    assert "canary" not in refused.value.message


@pytest.mark.parametrize("pos_system", ["toast", "lightspeed"])
def test_a_vendor_without_an_api_is_registered_by_hand(project: Project, pos_system: str) -> None:
    connector = get_connector(pos_system)
    for act in (register, rotate):
        with pytest.raises(ConfigurationError, match=f"pos webhooks register {pos_system}"):
            act(project.engine, project.vault, connector)
    with pytest.raises(ConfigurationError, match="by hand"):
        send_test(project.engine, connector)
    assert project.value("select count(*) from pos_webhook_subscriptions") == 0
