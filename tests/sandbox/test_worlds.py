"""Worlds of one system and of all of them: accounts, settings, refusals without a body, parts of a cent."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli import main
from sandbox.engine import Options, WorldError, open_world
from sandbox.faults import make_fault
from sandbox.registry import find_sandboxes
from sandbox.truth import truth_of

SMALL = Options(scale="small")
NAMES = list(find_sandboxes())


@pytest.mark.parametrize("name", NAMES)
def test_a_world_can_be_of_one_system(name: str) -> None:
    whole, _ = open_world(SMALL)
    alone, _ = open_world(Options(scale="small", only=name))
    assert list(whole.servers) == NAMES
    assert list(alone.servers) == [name]
    mine = [each for each in whole.accounts() if each["pos_system"] == name]
    assert mine
    assert alone.accounts() == mine


def test_a_system_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorldError, match="no such point-of-sale system: abacus"):
        open_world(Options(only="abacus"))
    assert main(["--only", "abacus"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_setting_reaches_the_systems_that_have_it_and_nobody_is_harmed_by_an_unknown_one() -> None:
    world, _ = open_world(SMALL)
    before = world.apply({"op": "settings", "now": 0, "settings": {}})
    owned = {(name, key) for name, settings in before.items() for key in settings}
    for _, key in owned:
        after = world.apply({"op": "settings", "now": 0, "settings": {key: 3}})
        changed = {name for name in after if after[name].get(key) == 3}
        assert changed == {name for name, each in owned if each == key}
        with pytest.raises(WorldError, match="no such setting: loaves"):
            world.apply({"op": "settings", "now": 0, "settings": {key: 5, "loaves": 1}})
        assert world.apply({"op": "settings", "now": 0, "settings": {}}) == after


def test_a_folder_from_before_an_option_existed_still_opens(tmp_path: Path) -> None:
    options: dict[str, Any] = asdict(SMALL)
    del options["only"]
    start = {"op": "start", "options": options, "anchor": 1.0}
    (tmp_path / "commands.jsonl").write_text(json.dumps(start) + "\n", encoding="utf-8")
    _, journal = open_world(SMALL, folder=tmp_path)
    assert journal.anchor_seconds == 1.0
    with pytest.raises(WorldError, match="another world"):
        open_world(Options(scale="small", only=NAMES[0]), folder=tmp_path)


def test_a_fault_tells_whether_it_has_a_body() -> None:
    assert make_fault(1, 1, {"kind": "status"}).describe()["is_empty"] is False
    assert make_fault(1, 1, {"kind": "status", "is_empty": True}).describe()["is_empty"] is True


@pytest.mark.parametrize("name", NAMES)
def test_amounts_have_the_places_that_the_system_keeps(name: str) -> None:
    world, _ = open_world(Options(scale="small", only=name))
    server = world.servers[name]
    for merchant in world.merchants.values():
        rows = server.transactions(merchant, world.clock.now())
        places = {row.get("places", merchant.market.exponent) for row in rows}
        assert len(places) == 1
        wanted = [Decimal(row["total_amount"]).scaleb(-max(places)) for row in rows]
        truth = truth_of([(server, merchant)], world.clock.now())
        assert [Decimal(row["total_amount"]) for row in truth["transactions"]] == wanted
        assert not any("places" in row for row in truth["transactions"])
