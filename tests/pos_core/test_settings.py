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


def test_keys_are_given_as_a_list_with_commas(settings_variables: pytest.MonkeyPatch) -> None:
    settings_variables.setenv("POS_ENCRYPTION_KEYS", " new:abc , old:def,")
    keys = get_settings().encryption_keys
    assert [key.get_secret_value() for key in keys] == ["new:abc", "old:def"]


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
