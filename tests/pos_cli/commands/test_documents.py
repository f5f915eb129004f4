"""`pos sync` and `pos replay`, one at a time."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pos_cli.demo.tie_out import compare
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pos_cli.conftest import Pos, write_json

Configurations = list[Configuration]


@pytest.fixture
def synced(pos: Pos, connected: Configurations) -> Configurations:
    """The sandbox's accounts, read once."""
    pos("sync").succeeded()
    return connected


def _statuses(answer: Any) -> dict[str, str]:
    return {each["configuration_id"]: each["status"] for each in answer["configurations"]}


def _landed(answer: Any) -> int:
    return sum(each["landed"] for each in answer["configurations"])


def test_a_sync_reads_every_configuration_and_the_next_one_lands_nothing(
    pos: Pos, connected: Configurations, sandbox: Driver, project: Project
) -> None:
    first = pos("sync", "--json").succeeded().json
    assert first["ok"] is True
    assert _statuses(first) == {str(each.id): "succeeded" for each in connected}
    assert _landed(first) > 100
    assert compare(project.engine, sandbox.truth()) == []
    before = project.value("select count(*) from raw_square._dlt_loads")
    again = pos("sync", "--json").succeeded().json
    assert _landed(again) == 0
    assert project.value("select count(*) from raw_square._dlt_loads") == before


def test_what_was_sold_meanwhile_arrives_with_the_next_sync(
    pos: Pos, synced: Configurations, sandbox: Driver, project: Project
) -> None:
    sandbox.control("edits", {"round": 1})
    assert _landed(pos("sync", "--json").succeeded().json) > 0
    assert compare(project.engine, sandbox.truth()) == []


def test_a_sync_can_be_for_some_configurations(pos: Pos, connected: Configurations, project: Project) -> None:
    chosen = connected[1]
    twice = ("--configuration", chosen.id, "--configuration", chosen.id)
    assert _statuses(pos("sync", *twice, "--json").succeeded().json) == {str(chosen.id): "succeeded"}
    assert project.rows("select distinct configuration_id from pos_transactions") == [
        {"configuration_id": chosen.id}
    ]


def test_one_that_fails_is_named_and_the_others_are_synced(
    pos: Pos, connected: Configurations, sandbox: Driver, project: Project
) -> None:
    bad, good = connected
    sandbox.control("tokens", {"merchant_id": bad.account_id, "state": "revoked"})
    ran = pos("sync", "--json")
    line = ran.failed(4)
    assert line.startswith("1 of 2 configurations were not read: ")
    assert bad.name in line
    assert str(bad.id) in line
    assert "revoked" in line
    assert ran.json["ok"] is False
    assert _statuses(ran.json) == {str(bad.id): "failed", str(good.id): "succeeded"}
    assert project.value("select count(*) from pos_transactions where configuration_id = :id", id=good.id) > 0
    assert "revoked" in pos("status").succeeded().out


def test_one_made_for_another_address_fails_alone(
    pos: Pos, connected: Configurations, project: Project
) -> None:
    moved, good = connected
    project.execute(
        "update pos_configurations set base_url = 'http://127.0.0.1:9' where id = :id", id=moved.id
    )
    ran = pos("sync", "--json")
    assert "a configuration stays with the address it was made for" in ran.failed(4)
    assert _statuses(ran.json) == {str(moved.id): "failed", str(good.id): "succeeded"}


def test_a_disabled_one_is_left_out_and_asked_for_by_name_it_fails(
    pos: Pos, connected: Configurations
) -> None:
    off, on = connected
    pos("configurations", "disable", off.id, "--reason", "shop sold").succeeded()
    assert _statuses(pos("sync", "--json").succeeded().json) == {str(on.id): "succeeded"}
    line = pos("sync", "--configuration", off.id, "--configuration", on.id).failed(4)
    assert f"{off.name} is disabled: shop sold." in line


def test_what_cannot_be_synced_at_all_is_refused(pos: Pos) -> None:
    assert "There is no active configuration" in pos("sync").failed(2)
    unknown = uuid4()
    assert pos("sync", "--configuration", unknown).failed(2) == f"There is no configuration {unknown}."


def test_a_backfill_reads_again_and_lands_only_what_is_news(
    pos: Pos, synced: Configurations, sandbox: Driver, project: Project
) -> None:
    marts = project.marts()
    lost = project.rows("select external_id from raw_square.orders order by 1 limit 1")[0]["external_id"]
    project.execute("delete from raw_square.orders where external_id = :id", id=lost)
    assert _landed(pos("sync", "--json").json) == 0
    answer = pos("backfill", "--from", "2026-01-01", "--json").succeeded().json
    assert _landed(answer) == 1
    assert sum(each["skipped"] for each in answer["configurations"]) > 100
    assert project.marts() == marts


def test_a_run_that_fails_as_a_whole_says_why_in_one_line(
    pos: Pos, connected: Configurations, project: Project
) -> None:
    project.execute("alter table pos_work.int_documents_touched rename to int_documents_away")
    try:
        line = pos("sync").failed(1)
    finally:
        project.execute("alter table pos_work.int_documents_away rename to int_documents_touched")
    assert "failed: " in line
    assert "int_documents_touched" in line
    pos("sync").succeeded()


Saved = Callable[[list[Any]], Any]
SHAPES: dict[str, Saved] = {
    "an array": lambda documents: documents,
    "a search answer": lambda documents: {"orders": documents, "cursor": "next"},
    "an array of answers": lambda documents: [{"order": each} for each in documents],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_orders_replayed_from_a_file_become_transactions(
    pos: Pos, synced: Configurations, sandbox: Driver, project: Project, tmp_path: Path, shape: Saved
) -> None:
    marts = project.marts()
    project.execute("truncate raw_square.orders, pos_transactions cascade")
    project.execute("truncate pos_transaction_items, pos_transaction_payments")
    for each in range(2):
        account = list(sandbox.orders(each).values())
        assert len(account) > 50
        file = write_json(tmp_path / f"{each}.json", shape(account))
        given = ("--configuration", synced[each].id, "--stream", "orders", "--json")
        answer = pos("replay", file, *given).succeeded().json
        assert answer == {
            "ok": True, "read": len(account), "landed": len(account), "unchanged": 0, "quarantined": 0,
            "waiting": 0,
        }  # fmt: skip
        again = pos("replay", file, *given).succeeded().json
        assert (again["landed"], again["unchanged"]) == (0, len(account))
    assert project.marts() == marts


def test_one_object_is_one_document(
    pos: Pos, synced: Configurations, sandbox: Driver, project: Project, tmp_path: Path
) -> None:
    order = next(iter(sandbox.orders().values()))
    changed = {**copy.deepcopy(order), "version": (order.get("version") or 1) + 1, "state": "CANCELED"}
    file = write_json(tmp_path / "one.json", changed)
    ran = pos("replay", file, "--configuration", synced[0].id, "--stream", "orders").succeeded()
    assert ran.out == "Read 1 documents: 1 landed, 0 were there already; 0 quarantined, 0 waiting.\n"
    status = "select status from pos_transactions where external_id = :id"
    assert project.value(status, id=order["id"]) == "canceled"


def test_an_old_file_never_overwrites_what_was_read_but_a_later_answer_does(
    pos: Pos, synced: Configurations, sandbox: Driver, project: Project, tmp_path: Path
) -> None:
    order = next(each for each in sandbox.orders().values() if each["state"] == "COMPLETED")
    file = write_json(tmp_path / "edited.json", {**order, "state": "CANCELED"})
    given = ("replay", file, "--configuration", synced[0].id, "--stream", "orders")
    status = "select status from pos_transactions where external_id = :id"

    pos(*given).succeeded()
    assert project.value(status, id=order["id"]) == "completed"
    pos(*given, "--read-at", "2020-01-01T00:00:00Z").succeeded()
    assert project.value(status, id=order["id"]) == "completed"
    later = datetime.now(UTC) + timedelta(days=1)
    pos(*given, "--read-at", later.isoformat()).succeeded()
    assert project.value(status, id=order["id"]) == "canceled"


def test_a_bad_document_stops_none_of_the_others_and_is_listed_until_it_is_right(
    pos: Pos, synced: Configurations, sandbox: Driver, project: Project, tmp_path: Path
) -> None:
    first, second, *_ = sandbox.orders().values()
    bad = {**copy.deepcopy(first), "id": "bad-money", "total_money": "ten"}
    nul = {**copy.deepcopy(first), "id": "bad-text", "state": "OPEN\x00"}
    nameless = {key: value for key, value in second.items() if key != "id"}
    good = {**copy.deepcopy(second), "id": "good"}
    given = ("--configuration", synced[0].id, "--stream", "orders")
    answer = pos("replay", write_json(tmp_path / "mixed.json", [bad, nul, nameless, good]), *given, "--json")
    assert answer.succeeded().json["quarantined"] == 3  # two that cannot land, one that the models refuse
    count = "select count(*) from pos_transactions where external_id = :id"
    assert project.value(count, id="good") == 1

    listed = pos("status", "--json").succeeded().json["quarantined"]
    reasons = {each["external_id"]: each["reason"] for each in listed}
    assert set(reasons) == {"bad-money", "bad-text", None}
    assert "money object" in reasons["bad-money"]
    assert "NUL" in reasons["bad-text"]
    assert "no id" in reasons[None]
    shown = pos("status").succeeded().out
    assert all(reason in shown for reason in reasons.values())

    fixed = [{**bad, "total_money": first["total_money"], "version": 99}, {**nul, "state": "OPEN"}]
    pos("replay", write_json(tmp_path / "fixed.json", fixed), *given).succeeded()
    assert project.value(count, id="bad-money") == 1
    assert project.value(count, id="bad-text") == 1
    left = pos("status", "--json").succeeded().json["quarantined"]
    assert "bad-text" not in [each["external_id"] for each in left]


def test_a_bad_version_that_a_good_one_has_replaced_needs_nobody(
    pos: Pos, synced: Configurations, sandbox: Driver, tmp_path: Path
) -> None:
    order = next(iter(sandbox.orders().values()))
    given = ("--configuration", synced[0].id, "--stream", "orders")
    bad = {**order, "id": "bad-money", "total_money": "ten", "version": 1}
    pos("replay", write_json(tmp_path / "bad.json", bad), *given).succeeded()
    assert len(pos("status", "--json").json["quarantined"]) == 1
    fixed = {**order, "id": "bad-money", "version": 2}
    pos("replay", write_json(tmp_path / "fixed.json", fixed), *given).succeeded()
    assert pos("status", "--json").json["quarantined"] == []


def test_what_cannot_be_replayed_is_refused_in_one_line(
    pos: Pos, connected: Configurations, tmp_path: Path
) -> None:
    file, given = write_json(tmp_path / "orders.json", []), ("--configuration", connected[0].id)
    assert "choose one of: " in pos("replay", file, *given, "--stream", "loaves").failed(2)
    assert "--read-at" in pos("replay", file, *given, "--stream", "orders", "--read-at", "once").failed(2)
    unknown = ("--configuration", uuid4())
    assert "There is no configuration" in pos("replay", file, *unknown, "--stream", "orders").failed(2)
    assert "holds no documents" in pos("replay", file, *given, "--stream", "orders").failed(2)
    text = write_json(tmp_path / "text.json", "order")
    assert "neither a JSON object nor" in pos("replay", text, *given, "--stream", "orders").failed(2)
    gone = tmp_path / "gone.json"
    assert "cannot be read" in pos("replay", gone, *given, "--stream", "orders", "--json").failed(2)
