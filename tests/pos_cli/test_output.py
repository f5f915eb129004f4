"""What commands print: texts as they stand, whatever a vendor put into them."""

import json

import pytest

from pos_cli.output import fail, print_json, print_table, say


def test_markup_in_names_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    say("quarantined: [red]Corner[/bold] Bakery, orders [1]")
    print_table(("name",), [("[/blue] Bakery",)])
    out = capsys.readouterr().out
    assert "[red]Corner[/bold] Bakery, orders [1]" in out
    assert "[/blue] Bakery" in out


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
