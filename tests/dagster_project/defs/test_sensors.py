"""The sensor keeps one partition per configuration."""

from dagster import SensorResult, SkipReason, build_sensor_context

from pos_core.repositories.configurations import Configuration
from tests.conftest import Project
from tests.dagster_project.conftest import PARTITIONS, Dagster


def _evaluate(dagster: Dagster) -> SensorResult | SkipReason:
    from dagster_project.defs.resources import Pos
    from dagster_project.defs.sensors import configuration_partitions

    context = build_sensor_context(instance=dagster.instance, resources={"pos": Pos()})
    answer = configuration_partitions(context)
    assert isinstance(answer, SensorResult | SkipReason)
    return answer


def _added(answer: SensorResult | SkipReason) -> set[str]:
    assert isinstance(answer, SensorResult)
    return {
        key
        for request in answer.dynamic_partitions_requests or []
        if request.partitions_def_name == PARTITIONS
        for key in request.partition_keys
    }


def test_new_configurations_get_a_partition(dagster: Dagster, connected: list[Configuration]) -> None:
    first, *others = connected
    dagster.instance.add_dynamic_partitions(PARTITIONS, [str(first.id)])
    assert _added(_evaluate(dagster)) == {str(each.id) for each in others}


def test_nothing_happens_when_every_configuration_has_one(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    dagster.instance.add_dynamic_partitions(PARTITIONS, [str(each.id) for each in connected])
    assert isinstance(_evaluate(dagster), SkipReason)


def test_a_disabled_configuration_keeps_its_partition(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    keys = {str(each.id) for each in connected}
    dagster.instance.add_dynamic_partitions(PARTITIONS, sorted(keys))
    project.execute("update pos_configurations set status = 'disabled' where id = :id", id=connected[0].id)
    assert isinstance(_evaluate(dagster), SkipReason)
    assert set(dagster.instance.get_dynamic_partitions(PARTITIONS)) == keys
