"""Settings from the environment, and the folder of all local state."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pos_core.errors import SettingsError
from pos_core.settings import Settings, get_settings, prepare_home
from tests.pos_core.processes import without_root


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="pos-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POS_API_PORT", "eight thousand"),
        ("POS_API_PORT", "0"),
        ("POS_DAGSTER_PORT", "65536"),
        ("POS_ENVIRONMENT", "prod"),
        ("POS_SYNC_INTERVAL_SECONDS", "9"),
        ("POS_FETCH_WORKERS", "many"),
        ("POS_RATE_LIMIT_PER_TENANT", "often"),
        ("POS_RATE_LIMIT_PER_TENANT", "0/minute"),
        ("POS_RATE_LIMIT_PER_ADDRESS", "5/fortnight"),
        ("POS_TRUSTED_PROXIES", "proxy.example"),
        ("POS_JWKS_URL", "http://issuer.example/keys"),
        ("POS_JWKS_URL", "file:///etc/keys"),
        ("POS_JWKS_URL", "https://"),
        ("POS_JWKS_URL", "https://user:word@issuer.example/keys"),
        ("POS_DAGSTER_URL", "dagster.example.com"),
        ("POS_DAGSTER_URL", "https://ada:flour@dagster.example.com"),
    ],
)
def test_a_bad_value_names_its_variable(
    settings_variables: pytest.MonkeyPatch, name: str, value: str
) -> None:
    settings_variables.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} is not valid: ") as caught:
        get_settings()
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", [f"POS_{field}".upper() for field in Settings.model_fields])
def test_an_empty_variable_is_one_that_is_not_set(settings_variables: pytest.MonkeyPatch, name: str) -> None:
    settings_variables.delenv(name, raising=False)
    unset = Settings()
    settings_variables.setenv(name, "")
    assert Settings() == unset


@pytest.mark.parametrize(
    "url",
    ["https://issuer.example/keys", "http://127.0.0.1:1/keys", "http://[::1]/keys", "http://localhost/"],
)
def test_keys_of_the_issuer_come_over_tls_or_from_this_machine(
    settings_variables: pytest.MonkeyPatch, url: str
) -> None:
    settings_variables.setenv("POS_JWKS_URL", url)
    assert get_settings().jwks_url == url


def test_the_service_is_where_its_port_is_unless_something_else_is_said(
    settings_variables: pytest.MonkeyPatch,
) -> None:
    settings_variables.delenv("WEBHOOK_BASE_URL", raising=False)
    settings_variables.setenv("POS_API_PORT", "8123")
    assert Settings().webhook_base_url == "http://127.0.0.1:8123"
    settings_variables.setenv("WEBHOOK_BASE_URL", "https://pos.example")
    assert Settings().webhook_base_url == "https://pos.example"


def test_trusted_proxies_are_addresses_and_networks(settings_variables: pytest.MonkeyPatch) -> None:
    settings_variables.setenv("POS_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert [str(each) for each in get_settings().trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_keys_are_given_as_a_list_with_commas(settings_variables: pytest.MonkeyPatch) -> None:
    settings_variables.setenv("POS_ENCRYPTION_KEYS", " new:abc , old:def,")
    keys = get_settings().encryption_keys
    assert [key.get_secret_value() for key in keys] == ["new:abc", "old:def"]


def test_dagsters_page_is_on_this_machine_unless_another_is_named(
    settings_variables: pytest.MonkeyPatch,
) -> None:
    settings_variables.setenv("POS_DAGSTER_PORT", "3001")
    assert Settings().dagster_address == "http://127.0.0.1:3001"
    settings_variables.setenv("POS_DAGSTER_URL", "https://dagster.example.com/pos/")
    assert Settings().dagster_address == "https://dagster.example.com/pos"


def test_settings_do_not_show_secrets(settings_variables: pytest.MonkeyPatch) -> None:
    settings_variables.setenv("POS_DATABASE_URL", "postgresql://baker:flour-and-water@127.0.0.1/pos")
    settings_variables.setenv("POS_ENCRYPTION_KEYS", "one:flour-and-water")
    assert "flour" not in repr(get_settings()) + str(get_settings())


def test_home_is_made_with_its_parents_and_private(open_folder: Path) -> None:
    home = prepare_home(Settings(home=open_folder / "a" / "b"))
    assert home == open_folder / "a" / "b"
    assert home.stat().st_mode & 0o777 == 0o700
    assert prepare_home(Settings(home=home)) == home


def test_home_may_be_relative_or_below_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Settings(home=Path("state")).home_path == tmp_path / "state"
    assert Settings(home=Path("~/state")).home_path == tmp_path / "me" / "state"


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_home_that_is_a_file_is_refused(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingsError, match=r"is not a folder; choose another\.$"):
        prepare_home(Settings(home=file / below))


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_home_that_cannot_be_written_is_refused(open_folder: Path, below: str) -> None:
    open_folder.chmod(0o555)
    with without_root(), pytest.raises(SettingsError, match=r"cannot be written; choose another\.$"):
        prepare_home(Settings(home=open_folder / below))
    assert os.listdir(open_folder) == []
