"""Who runs the embedded PostgreSQL, and what that user can reach."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pos_core.database.system_user import find
from tests.pos_core.processes import without_root


@pytest.fixture
def closed() -> Iterator[Path]:
    """A private folder with a data folder and a program that only this user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "site").mkdir(mode=0o700)
        (root / "site" / "wheel").mkdir()
        (root / "site" / "wheel" / "bin").mkdir(mode=0o700)
        (root / "home").mkdir(mode=0o700)
        (root / "home" / "data").mkdir()
        program = root / "site" / "wheel" / "bin" / "bake"
        program.write_text("#!/bin/sh\nls > $1/bread\n")
        program.chmod(0o700)
        (root / "site" / "wheel" / "notes").write_text("rye")
        (root / "site" / "wheel" / "notes").chmod(0o600)
        yield root


def test_an_ordinary_user_runs_it_itself_and_changes_nothing(closed: Path) -> None:
    with without_root():
        owner = find()
        before = closed.stat()
        owner.prepare(closed / "home" / "data", closed / "site" / "wheel" / "bin")
        owner.own(closed)
        assert (owner.uid, owner.command(["true"])) == (os.geteuid(), ["true"])
    assert closed.stat() == before


def test_the_user_is_never_root_and_reaches_data_and_programs(closed: Path) -> None:
    owner = find()
    assert owner.uid != 0
    owner.prepare(closed / "home" / "data", closed / "site" / "wheel" / "bin")
    data = closed / "home" / "data"
    program = str(closed / "site" / "wheel" / "bin" / "bake")
    subprocess.run(owner.command([program, str(data)]), cwd="/", check=True)
    assert (data / "bread").stat().st_uid == owner.uid


def test_folders_on_the_way_can_be_passed_through_but_not_listed(closed: Path) -> None:
    find().prepare(closed / "home" / "data", closed / "site" / "wheel" / "bin")
    assert closed.stat().st_mode & 0o066 == 0


def test_links_are_handed_over_themselves_not_what_they_lead_to(closed: Path) -> None:
    target = closed / "target"
    target.touch()
    link = closed / "link"
    link.symlink_to(target)
    owner = find()
    owner.own(link)
    assert link.lstat().st_uid == owner.uid
    assert target.stat().st_uid == os.geteuid()
