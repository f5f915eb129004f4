"""The state of everything, in words: nothing sold is told from not asked."""

from pos_core.repositories import breakers
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import fault
from tests.pos_cli.conftest import Pos


def test_the_state_of_each_configuration_is_told_in_words(
    pos: Pos, project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    failing, good = connected
    before = pos("status", "--json").succeeded().json["configurations"]
    assert {each["state"] for each in before} == {"never_read"}
    fault(sandbox, "status", status=503, merchant_id=sandbox.merchant_id(0), rate=1)
    project.sync(failing)
    sandbox.http.delete("/_sandbox/faults").raise_for_status()
    project.sync(good)
    project.sync(good)
    found = pos("status", "--json").succeeded().json
    by_id = {each["id"]: each for each in found["configurations"]}
    bad, fine = by_id[str(failing.id)], by_id[str(good.id)]
    assert (bad["state"], bad["last_sync"]["error_class"]) == ("failing", "vendor_fault")
    assert bad["message"].startswith("Could not ask: Square failed with HTTP 503")
    assert fine["state"] == "read"
    assert fine["message"].startswith("Read completely until ")
    assert "nothing new" in fine["message"]
    assert found["vendors_down"] == []


def test_a_vendor_that_is_down_and_open_hours_are_shown(
    pos: Pos, project: Project, connected: list[Configuration]
) -> None:
    mine = connected[0]
    project.execute("update pos_configurations set open_hours = '{4,5,6}' where id = :id", id=mine.id)
    with project.engine.begin() as connection:
        breakers.trip(connection, mine.pos_system, mine.base_url, "unreachable", is_probe=False)
    said = pos("status").succeeded().out
    assert f"Square at {mine.base_url} does not answer; nobody asks before " in said
    assert f"{mine.name} is read less often while its shops are closed; open Mon 4-7 (UTC)." in said
    [down] = pos("status", "--json").succeeded().json["vendors_down"]
    assert (down["pos_system"], down["trips"]) == (mine.pos_system, 1)
