"""When configurations are due: spread over time, seldom while shops are closed, later after failures."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import Connection, func, text, update

from pos_core.backoff import wait_after
from pos_core.database.tables import configurations
from pos_core.health import Remedy, remedy
from pos_core.repositories.configurations import Configuration

_LONGEST_WAIT = {
    Remedy.TIME: timedelta(hours=1),
    Remedy.OPERATOR: timedelta(hours=6),
    Remedy.TENANT: timedelta(hours=24),
}
_FACTOR_WHERE_TIME_DOES_NOT_HELP = 4

# Hours are counted, not sales: a busy account costs no more than a quiet one from there on. A configuration
# whose shops sold on fewer days than are wanted is taken to be open at all times.
_NOTE_OPEN_HOURS = text("""
    with sold as materialized (
        select sale.configuration_id, date_trunc('hour', sale.occurred_at at time zone 'UTC') as hour
        from (select distinct tenant_id from pos_configurations where status = 'active') as tenant
        inner join pos_transactions as sale
            on sale.tenant_id = tenant.tenant_id
                and sale.occurred_at between now() - interval '28 days' and now()
        group by 1, 2
    ),
    known as (
        select configuration_id from sold group by 1 having count(distinct date_trunc('day', hour)) >= 14
    ),
    selling as (
        select distinct
            sold.configuration_id,
            (((extract(isodow from sold.hour) - 1) * 24 + extract(hour from sold.hour))::integer
                + margin + 168) % 168 as hour
        from sold
        inner join known using (configuration_id)
        cross join generate_series(-1, 1) as margin
    ),
    hours as (
        select configuration_id, array_agg(hour::smallint order by hour) as open_hours
        from selling group by 1
    )
    update pos_configurations as configuration
    set open_hours = found.open_hours
    from (
        select each.id, hours.open_hours
        from pos_configurations as each left join hours on hours.configuration_id = each.id
    ) as found
    where found.id = configuration.id and configuration.open_hours is distinct from found.open_hours
""")


def record_success(connection: Connection, configuration_id: UUID, has_more: bool = False) -> None:
    """The next sync is due at the configuration's own next slot, see `pos_next_sync_at` in the migrations.

    Args:
        has_more: this one left something: the next is due at once.
    """
    connection.execute(
        update(configurations)
        .where(configurations.c.id == configuration_id)
        .values(
            last_succeeded_at=func.now(),
            consecutive_failures=0,
            next_sync_at=func.now()
            if has_more
            else func.pos_next_sync_at(
                configurations.c.id,
                configurations.c.sync_interval_seconds,
                configurations.c.open_hours,
                func.now(),
            ),
        )
    )


def record_failure(
    connection: Connection, configuration: Configuration, error_class: str, dice: Random | None = None
) -> None:
    """The next sync waits longer with each failure: at most an hour for what passes by itself.

    What somebody has to look at waits six hours at most, what the tenant has to mend grows faster, to a day.

    Args:
        dice: where the chance in the wait comes from.
    """
    mended_by = remedy(error_class)
    wait = wait_after(
        configuration.consecutive_failures,
        timedelta(seconds=configuration.sync_interval_seconds),
        _LONGEST_WAIT[mended_by],
        _FACTOR_WHERE_TIME_DOES_NOT_HELP if mended_by is Remedy.TENANT else 2,
        dice,
    )
    connection.execute(
        update(configurations)
        .where(configurations.c.id == configuration.id)
        .values(
            consecutive_failures=configurations.c.consecutive_failures + 1,
            next_sync_at=func.now() + wait,
        )
    )


def record_postponed(connection: Connection, configuration_id: UUID, until: datetime) -> None:
    """The next sync waits for the vendor; that is no failure of the configuration."""
    connection.execute(
        update(configurations).where(configurations.c.id == configuration_id).values(next_sync_at=until)
    )


def note_open_hours(connection: Connection) -> int:
    """Learns from the sales of four weeks in which hours of the week shops may sell.

    An hour of margin on either side counts as open. Where sales are of fewer than 14 days, nothing is known.

    Returns:
        Of how many configurations that has changed.
    """
    if connection.execute(text("select to_regclass('public.pos_transactions')")).scalar() is None:
        return 0
    return connection.execute(_NOTE_OPEN_HOURS).rowcount
