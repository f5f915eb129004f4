"""What runs need of the outside: database, vault, folders. Nothing is opened before a run asks."""

from functools import cached_property
from pathlib import Path

from dagster import ConfigurableResource
from pydantic import ConfigDict

from pipelines.sync import Context
from pos_core.database.connect import database_address, get_engine
from pos_core.settings import get_settings, prepare_home
from pos_core.vault import load_vault


class PosResource(ConfigurableResource):  # type: ignore[type-arg]
    """The sync context of this process, made from `Settings` when it is first used."""

    model_config = ConfigDict(frozen=False, ignored_types=(cached_property,))

    @cached_property
    def context(self) -> Context:
        """Engine, address, vault and work folder."""
        settings = get_settings()
        home = prepare_home(settings)
        return Context(
            engine=get_engine(),
            address=database_address(),
            vault=load_vault(settings),
            work_folder=home / "work",
            workers=settings.fetch_workers,
        )

    @property
    def dbt_folder(self) -> Path:
        """Where dbt's files and the compiled statements are kept."""
        return prepare_home(get_settings()) / "dbt"
