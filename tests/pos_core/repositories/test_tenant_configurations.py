"""What one tenant sees of its configurations, and what it may learn of other tenants: yes or no."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pos_core.database.connect import get_service_engine, tenant_engine
from pos_core.database.roles import WEBHOOK_ROLE
from pos_core.errors import ConfigurationInUseError, UnknownConfigurationError
from pos_core.repositories import configurations, tenant_configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from tests.conftest import Project


def _shops(project: Project, configuration: Configuration) -> list[str]:
    query = "select external_location_id as id from pos_configuration_locations where configuration_id = :id"
    return [row["id"] for row in project.rows(query, id=configuration.id)]


def _elsewhere(tenant_id: UUID, configuration: Configuration, shops: list[str]) -> None:
    with tenant_engine(tenant_id).begin() as connection:
        tenant_configurations.refuse_live_elsewhere(connection, tenant_id, configuration.pos_system, shops)


def test_a_live_shop_of_another_tenant_is_refused(project: Project, connected: list[Configuration]) -> None:
    known, shops = connected[0], _shops(project, connected[0])
    _elsewhere(known.tenant_id, known, shops)
    _elsewhere(uuid4(), known, ["unknown"])
    _elsewhere(uuid4(), known, [])
    with pytest.raises(ConfigurationInUseError) as caught:
        _elsewhere(uuid4(), known, shops[:1])
    assert str(known.tenant_id) not in caught.value.message
    with project.engine.begin() as connection:
        configurations.disable(connection, known.id, "closed", Actor("test"))
    _elsewhere(uuid4(), known, shops)


def test_an_account_is_elsewhere_while_somebody_has_credentials_of_it(
    project: Project, connected: list[Configuration]
) -> None:
    known, other = connected[0], uuid4()
    engine = tenant_engine(known.tenant_id)
    with engine.connect() as connection:
        assert tenant_configurations.is_account_elsewhere(connection, known.id) is False
    project.execute(
        "insert into pos_configurations (id, tenant_id, pos_system, name, account_id, base_url, "
        "credentials_sealed) select :id, :id, pos_system, name, account_id, base_url, 'sealed' "
        "from pos_configurations where id = :known",
        id=other,
        known=known.id,
    )
    with engine.connect() as connection:
        assert tenant_configurations.is_account_elsewhere(connection, known.id) is True
    project.execute("update pos_configurations set credentials_sealed = null where id = :id", id=other)
    with engine.connect() as connection:
        assert tenant_configurations.is_account_elsewhere(connection, known.id) is False


def test_nobody_but_the_service_gets_such_answers(project: Project) -> None:
    questions = (
        "select pos_account_elsewhere(gen_random_uuid())",
        "select pos_live_elsewhere(gen_random_uuid(), '', '{}')",
    )
    for question in questions:
        with (
            get_service_engine(WEBHOOK_ROLE).connect() as connection,
            pytest.raises(DBAPIError, match="permission denied for function"),
        ):
            connection.execute(text(question))
        with project.engine.begin() as connection:
            connection.execute(text("set local role pos_reader"))
            with pytest.raises(DBAPIError, match="permission denied for function"):
                connection.execute(text(question))
            connection.rollback()


def test_a_deleted_one_and_another_tenants_are_not_found(
    project: Project, connected: list[Configuration]
) -> None:
    known = connected[0]
    with project.engine.begin() as connection:
        assert tenant_configurations.find(connection, known.tenant_id, known.id).id == known.id
        with pytest.raises(UnknownConfigurationError):
            tenant_configurations.find(connection, uuid4(), known.id)
        configurations.delete(connection, known.id, Actor("test"))
        with pytest.raises(UnknownConfigurationError):
            tenant_configurations.find(connection, known.tenant_id, known.id)
        page = tenant_configurations.page(connection, known.tenant_id, include_deleted=True)
        assert known.id in [each.id for each in page]
        assert tenant_configurations.locations(connection, uuid4(), [known.id]) == {known.id: []}
