"""What people give to commands."""

from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from pos_cli.inputs import read_instant, read_json, read_time_of_day
from pos_core.errors import DocumentError, SettingsError


@pytest.mark.parametrize(
    "given", ["2026-03-01T00:00:00Z", "2026-03-01", "2026-03-01T01:00:00+01:00", "2026-03-01 00:00"]
)
def test_an_instant_without_an_offset_is_utc(given: str) -> None:
    assert read_instant(given, "--since") == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("given", ["", "yesterday", "1", "2026-02-30", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_instant_is_refused_by_the_name_of_its_option(given: str) -> None:
    with pytest.raises(SettingsError, match=r"^--since .* is no ISO 8601 time"):
        read_instant(given, "--since")


def test_what_is_not_given_is_none() -> None:
    assert read_instant(None, "--since") is None
    assert read_time_of_day(None, "--day-starts-at") is None


def test_a_time_of_day_is_local() -> None:
    assert read_time_of_day("04:30", "--day-starts-at") == time(4, 30)


@pytest.mark.parametrize("given", ["", "four", "24:00", "25:00", "04:00Z", "04:00+02:00"])
def test_what_is_no_local_time_of_day_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="is no local time like 04:00"):
        read_time_of_day(given, "--day-starts-at")


def test_numbers_of_a_file_stay_exact(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    path.write_text('{"amount": 0.10}')
    assert str(read_json(path, DocumentError)["amount"]) == str(Decimal("0.10"))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b'{"a": 1} {"b": 2}', b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=rf"^{path} holds no valid JSON\.$"):
        read_json(path, DocumentError)


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file or directory"):
        read_json(tmp_path / "none.json", DocumentError)
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        read_json(tmp_path, DocumentError)
