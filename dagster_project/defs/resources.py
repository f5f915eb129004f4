"""What runs need of the outside: database, vault, folders. Nothing is opened before a run asks."""

from functools import cached_property
from pathlib import Path

from dagster import ResourceDefinition

from pipelines.sync import Context
from pos_core.database.connect import database_address, get_engine
from pos_core.database.migrate import migrate
from pos_core.settings import get_settings, prepare_home
from pos_core.vault import load_vault


class Pos:
    """The sync context of this process, made from `Settings` when it is first used."""

    @cached_property
    def context(self) -> Context:
        """Engine, address, vault and work folder; the database has its tables when this returns."""
        settings = get_settings()
        home = prepare_home(settings)
        engine = get_engine()
        migrate(engine)  # so that `dagster dev` works in a new clone
        return Context(
            engine=engine,
            address=database_address(),
            vault=load_vault(settings),
            work_folder=home / "work",
            workers=settings.fetch_workers,
        )

    @property
    def dbt_folder(self) -> Path:
        """Where dbt's files and the compiled statements are kept."""
        return prepare_home(get_settings()) / "dbt"


# Not a ConfigurableResource: there is nothing to configure, and what it holds must be made anew in each run.
pos_resource = ResourceDefinition(
    resource_fn=lambda _context: Pos(),
    description="Database, vault and folders, as the environment's settings say.",
)
