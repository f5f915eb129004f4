"""The command line itself: help, and one line for whatever goes wrong."""

import re
import signal
from collections.abc import Iterator

import pytest
import typer
from sqlalchemy import create_engine

from pos_cli import main
from tests.conftest import Project
from tests.pos_cli.conftest import Pos
from tests.pos_cli.process import run_pos


def _commands(
    group: typer.core.TyperGroup, *path: str
) -> Iterator[tuple[tuple[str, ...], typer.core.TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from _commands(command, *path, name)
        else:
            assert isinstance(command, typer.core.TyperCommand)
            yield (*path, name), command


_ROOT = typer.main.get_command(main.app)
assert isinstance(_ROOT, typer.core.TyperGroup)
COMMANDS = dict(_commands(_ROOT))


def test_all_promised_commands_are_there() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        "init", "up", "down", "demo", "sync", "backfill", "status", "replay", "database-url", "token",
        "configurations create", "configurations list", "configurations disable",
        "keys new", "keys rotate", "keys status", "readers grant", "readers revoke", "readers list",
        "webhooks register", "webhooks rotate", "webhooks test", "webhooks status",
    }  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_what_a_command_does_with_an_example_and_each_default(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    first = command.help.splitlines()[0]
    assert 20 < len(first) <= 80, first
    assert first.endswith(".")
    assert command.epilog
    assert f"pos {' '.join(path)}" in command.epilog
    for parameter in command.params:
        assert isinstance(parameter, typer.core.TyperOption | typer.core.TyperArgument)
        assert parameter.help, parameter.name
        is_flag = isinstance(parameter, typer.core.TyperOption) and parameter.is_flag
        is_told = parameter.required or is_flag or parameter.default is not None
        assert is_told or "Default:" in parameter.help, parameter.name


def test_help_names_the_settings_and_every_command() -> None:
    shown = " ".join(run_pos("--help", COLUMNS="200").succeeded().out.split())
    for word in ("POS_HOME", "POS_DATABASE_URL", "Exit codes", *(path[0] for path in COMMANDS)):
        assert word in shown


def test_examples_use_options_that_exist() -> None:
    for path, command in COMMANDS.items():
        options = set(re.findall(r"--[a-z-]+", command.epilog or ""))
        known = {each for parameter in command.params for each in parameter.opts}
        assert options <= known, path


def test_without_a_command_the_help_is_shown(pos: Pos) -> None:
    ran = pos()
    assert ran.code == 2
    assert "Usage:" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bake"], "bake"),
        (["sync", "--fast"], "--fast"),
        (["sync", "--configuration", "mine"], "--configuration"),
        (["configurations", "create", "--tenant", "me"], "--tenant"),
        (["replay", "orders.json", "--stream", "orders"], "--configuration"),
        (["configurations", "disable"], "configuration"),
        (["demo", "--scale", "huge"], "choose one of: demo, small"),
    ],
)
def test_wrong_usage_is_one_line(pos: Pos, arguments: list[str], words: str) -> None:
    assert words in pos(*arguments).failed(2)


def test_a_failure_with_json_is_one_value_and_one_line(pos: Pos) -> None:
    ran = pos("backfill", "--from", "soon", "--json")
    assert ran.json == {"ok": False, "error": ran.failed(2)}
    assert "--from 'soon'" in ran.line


def test_what_nobody_foresaw_is_one_line_and_a_log_without_values(
    pos: Pos, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprise(_as_json: bool) -> None:
        secret = "hidden-value"
        raise RuntimeError(f"first line\nsecond line with {secret}")

    monkeypatch.setattr("pos_cli.commands.status.show_status", surprise)
    line = pos("status").failed(1)
    assert "RuntimeError: first line" in line
    log = (project.home / "logs" / "pos.log").read_text(encoding="utf-8")
    assert "surprise" in log
    assert "hidden-value" not in log


def test_a_database_that_goes_away_is_the_databases_failure(
    pos: Pos, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_as_json: bool) -> None:
        create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none").connect()

    monkeypatch.setattr("pos_cli.commands.status.show_status", gone)
    assert "The database does not answer" in pos("status").failed(3)


def test_signals_are_as_they_were_after_a_command(pos: Pos) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    pos("configurations", "list").succeeded()
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_help_needs_no_home_and_no_database() -> None:
    ran = run_pos(
        "sync", "--help", POS_HOME="/dev/null/nowhere", POS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x"
    )
    ran.succeeded()
