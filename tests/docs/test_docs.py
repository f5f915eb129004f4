"""What the documents name exists: paths, links, commands and their options, `make` targets, settings."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic_settings import BaseSettings

import pos_core.settings
from pipelines.registry import connectors
from pos_cli.main import app
from pos_core.settings import PROJECT_ROOT
from webhook_api.main import create_app

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
SETTING = re.compile(r"\b([A-Z]+_[A-Z0-9_]*[A-Z0-9])\b")
MAKE = re.compile(r"(?:^|[\s`(])make ((?:[a-z]+(?=[\s`),.;]|$) ?)+)", re.MULTILINE)
COMMAND = re.compile(r"(?:^|[\s`(\"/])pos ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^`\n]*)", re.MULTILINE)
ENVIRON = re.compile(r"""environ(?:\.get\(|\[)\s*["']([A-Z_0-9]+)["']""")
PATH = re.compile(r"^\.?[\w.-]+(/[\w.-]+)*/?$")


def _documents() -> list[Path]:
    found = []
    for folder, folders, names in os.walk(PROJECT_ROOT):
        folders[:] = [each for each in folders if not each.startswith(".") and each not in {"build", "dist"}]
        found += [Path(folder, name).relative_to(PROJECT_ROOT) for name in names if name.endswith(".md")]
    return sorted(found)


DOCUMENTS = _documents()


def _text(document: Path) -> str:
    return (PROJECT_ROOT / document).read_text(encoding="utf-8")


def _code(document: Path) -> Iterator[str]:
    """The pieces of code in a document, without their fences; continued lines are put together."""
    for piece in CODE.findall(_text(document)):
        yield re.sub(r"^```\w*\n|```$|^`|`$", "", piece).replace("\\\n", " ")


def test_there_is_a_readme_at_the_root() -> None:
    assert Path("README.md") in DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    folder = (PROJECT_ROOT / document).parent
    targets = [target.partition("#")[0] for target in LINK.findall(_text(document))]
    inside = [target for target in targets if target and "://" not in target and "mailto:" not in target]
    assert [target for target in inside if not (folder / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_path_in_code_exists(document: Path) -> None:
    """A path is what begins with a folder or file at the root, or beside the document."""
    homes = (PROJECT_ROOT, (PROJECT_ROOT / document).parent)
    missing = [
        word
        for piece in _code(document)
        for word in piece.split()
        if PATH.match(word)
        and ("/" in word or Path(word).suffix in {".py", ".sql", ".yml", ".yaml", ".toml"})
        if any((home / word.split("/")[0]).exists() for home in homes)
        if not any((home / word).exists() for home in homes) and not word.startswith((".venv", ".pos"))
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_make_target_exists(document: Path) -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        word
        for piece in _code(document)
        for words in MAKE.findall(piece.replace("#", "\n"))
        for word in words.split()
    }
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_and_option_exists(document: Path) -> None:
    known = dict(_commands())
    wrong = []
    for piece in _code(document):
        for words, rest in COMMAND.findall(piece):
            first, _, second = words.partition(" ")
            is_group = any(each.startswith(f"{first} ") for each in known)
            name = words if is_group and second else first
            if name not in known:
                wrong.append(name)
                continue
            options = re.findall(r"(?<![\w-])(--[a-z][a-z-]*)", rest.partition("#")[0])
            wrong += [f"{name} {option}" for option in options if option not in known[name]]
    assert wrong == []


def _commands() -> Iterator[tuple[str, set[str]]]:
    """Each command as it is typed after `pos`, with its options; a group counts as a command too."""
    root = typer.main.get_command(app)
    waiting = [("", root)]
    while waiting:
        name, command = waiting.pop()
        yield name, {"--help", *(option for each in command.params for option in each.opts)}
        waiting += [
            (f"{name} {key}".strip(), child) for key, child in getattr(command, "commands", {}).items()
        ]


def test_every_endpoint_of_the_api_is_in_its_document_and_no_other() -> None:
    home = "/api/v1/tenants/{tenant_id}/pos"
    named = re.findall(r"`((?:GET|POST|PUT|DELETE) [^`?\s]+)`", _text(Path("docs/api.md")))
    assert set(named) == {
        f"{method.upper()} {path.replace(home, '…/pos')}"
        for path, methods in create_app().openapi()["paths"].items()
        for method in methods
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_setting_exists(document: Path) -> None:
    prefixes = ("POS_", *(f"{name.upper()}_" for name in connectors()))
    named = {
        name for piece in _code(document) for name in SETTING.findall(piece) if name.startswith(prefixes)
    }
    assert named - _settings() == set()


def _settings() -> set[str]:
    """Every variable that `Settings`, a vendor's, or a piece of code by itself reads."""
    found = {f"POS_{name.upper()}" for name in pos_core.settings.Settings.model_fields}
    for module in _vendor_settings():
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseSettings) and value is not BaseSettings:
                prefix = value.model_config.get("env_prefix", "")
                found |= {f"{prefix}{name}".upper() for name in value.model_fields}
    for path in PROJECT_ROOT.glob("*/**/*.py"):
        if ".venv" not in path.parts:
            found |= set(ENVIRON.findall(path.read_text(encoding="utf-8")))
    return found


def _vendor_settings() -> Iterator[object]:
    from importlib import import_module

    for name in connectors():
        yield import_module(f"pipelines.{name}.settings")
