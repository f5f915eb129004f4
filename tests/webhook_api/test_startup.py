"""What the service refuses to start with: one clear line, before anybody is answered."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pos_core.errors import PosError
from pos_core.settings import PROJECT_ROOT, Settings, get_settings
from webhook_api.startup import check_settings

GOOD = {
    "POS_ENVIRONMENT": "production",
    "POS_JWKS_URL": "https://issuer.example/keys",
    "POS_ENCRYPTION_KEYS": "one:" + base64.b64encode(bytes(32)).decode(),
    "POS_DATABASE_URL": "postgresql://owner:hidden-word@127.0.0.1/pos",
    "POS_API_DATABASE_URL": "postgresql://pos_service:hidden-word@127.0.0.1/pos",
}


def _settings(patch: pytest.MonkeyPatch, **changed: str) -> Settings:
    for name, value in {**GOOD, **changed}.items():
        patch.setenv(name, value)
    get_settings.cache_clear()
    return get_settings()


def test_production_with_all_it_needs_starts(settings_of_service: pytest.MonkeyPatch) -> None:
    made = _settings(settings_of_service)
    check_settings(made)
    assert not made.home_path.exists()


@pytest.mark.parametrize("name", ["POS_JWKS_URL", "POS_ENCRYPTION_KEYS", "POS_API_DATABASE_URL"])
def test_production_without_it_does_not_start(settings_of_service: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(PosError, match=f"^{name} is required") as caught:
        check_settings(_settings(settings_of_service, **{name: ""}))
    assert "hidden" not in caught.value.message


def test_a_damaged_key_stops_development_too(settings_of_service: pytest.MonkeyPatch) -> None:
    with pytest.raises(PosError, match="POS_ENCRYPTION_KEYS must hold"):
        check_settings(
            _settings(settings_of_service, POS_ENVIRONMENT="development", POS_ENCRYPTION_KEYS="one:short")
        )


@pytest.mark.parametrize(
    "command",
    [["webhook_api"], ["uvicorn", "webhook_api.main:app", "--port", "0"]],
    ids=["module", "uvicorn"],
)
def test_the_process_says_in_one_line_why_it_does_not_start(tmp_path: Path, command: list[str]) -> None:
    variables = {"POS_HOME": str(tmp_path / "home"), "POS_ENVIRONMENT": "production", "POS_JWKS_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=PROJECT_ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "POS_JWKS_URL" in line]
    assert len(said) == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()
