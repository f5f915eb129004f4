"""What commands print: texts as they stand, whatever a vendor put into them."""

import json
import os
import subprocess
import sys

import pytest

from pos_cli.output import fail, print_json, print_table, say
from pos_core.settings import PROJECT_ROOT


def test_markup_in_names_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    say("quarantined: [red]Corner[/bold] Bakery, orders [1]")
    print_table(("name",), [("[/blue] Bakery",)])
    out = capsys.readouterr().out
    assert "[red]Corner[/bold] Bakery, orders [1]" in out
    assert "[/blue] Bakery" in out


@pytest.mark.parametrize("columns", [None, "100"])
def test_a_table_cuts_nothing_and_keeps_ids_in_one_piece(columns: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    code = (
        "from pos_cli.output import print_table\n"
        "ids = ['5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11'] * 2\n"
        "print_table(('id', 'tenant', 'name', 'account'), [(*ids, 'Hearth & Crumb Bakeries', ids[0])])\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_ROOT,
        env=environment | ({"COLUMNS": columns} if columns else {}),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11" in shown
    assert "…" not in shown


def test_control_characters_and_half_surrogates_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("a\x1b[2Jb")
    print_table(("name",), [("c\ud800d\x07",)])
    fail("e\x1b]0;title\x07f")
    said = capsys.readouterr()
    assert "a�[2Jb" in said.out
    assert "c�d�" in said.out
    assert said.err == "pos: e�]0;title�f\n"


def test_a_failure_is_one_line_however_long_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    fail("one\n  two\r\nthree " + "x" * 500)
    err = capsys.readouterr().err
    assert err.startswith("pos: one two three x")
    assert err.count("\n") == 1


def test_long_lines_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_json_is_one_line_of_plain_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Bäckerei\nLinde"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == {"name": "Bäckerei\nLinde"}
