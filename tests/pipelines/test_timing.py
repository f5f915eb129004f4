"""Each sync's log has what it did and how long each step took."""

from pipelines.timing import note_normalising
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import log, refusing


def test_the_log_has_figures_of_every_step(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    mine, other = connected
    report = project.sync(mine, other)
    normalised = project.normalise()
    note_normalising(project.context, report, normalised)
    row = log(project, mine)
    assert set(row["seconds"]) == {"fetch", "land", "normalise"}
    assert row["seconds"]["normalise"] == normalised.seconds
    for name in ("windows_read", "calls", "pages", "received_bytes", "documents_read", "documents_landed"):
        assert row[name] > 0, name
    assert (row["documents_new"], row["documents_changed"]) == (row["documents_landed"], 0)
    assert row["documents_read"] == row["documents_landed"] + row["documents_skipped"]
    sandbox.control("edits")
    report = project.sync(mine, other)
    note_normalising(project.context, report, project.normalise())
    rows = [log(project, each) for each in (mine, other)]
    assert sum(each["documents_changed"] for each in rows) > 0
    assert all(each["documents_landed"] == each["documents_new"] + each["documents_changed"] for each in rows)


def test_a_sync_with_nothing_to_normalise_has_no_such_seconds(
    project: Project, connected: list[Configuration]
) -> None:
    project.sync(*connected)
    project.normalise()
    report = project.sync(*connected)
    note_normalising(project.context, report, project.normalise())
    assert set(log(project, connected[0])["seconds"]) == {"fetch", "land"}


def test_what_could_not_be_landed_is_not_counted_as_landed(
    project: Project, connected: list[Configuration]
) -> None:
    with refusing(project, "raw_square.orders"):
        project.sync(connected[0])
    row = log(project, connected[0])
    assert (row["documents_landed"], row["documents_new"]) == (0, 0)
    assert row["documents_read"] > 0
