"""What vendors send, and whether they do."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from pos_core.database.tables.base import instant, metadata

webhook_logs = Table(
    "pos_webhook_logs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Uuid),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id")),
    Column("pos_system", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text),
    instant("received_at", nullable=False, now=True),
    instant("vendor_sent_at"),
    Column("outcome", Text, nullable=False, server_default="pending"),
    Column("body", LargeBinary),
    instant("processed_at"),
    Column("external_ids", ARRAY(Text), comment="sales it announces"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    instant("available_at", nullable=False, now=True, comment="not to be tried before"),
    Column("reason", Text, comment="why it still waits, or was given up"),
    instant("visible_at", comment="when the marts had its rows"),
    CheckConstraint(
        "outcome in ('pending', 'processed', 'ignored', 'unknown_account', 'given_up')", name="outcome"
    ),
    UniqueConstraint("pos_system", "event_id", "configuration_id", postgresql_nulls_not_distinct=True),
    Index("pos_webhook_logs_pending_idx", "available_at", postgresql_where=text("outcome = 'pending'")),
    Index(None, "configuration_id", "received_at"),
    Index(None, "pos_system", "received_at"),
)

webhook_gate = Table(
    "pos_webhook_gate",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("is_active", Boolean, nullable=False, comment="a drain was asked for or runs"),
    Column("is_dirty", Boolean, nullable=False, comment="events came since it last looked"),
    instant("knocked_at"),
    CheckConstraint("id = 1", name="single_row"),
    comment="lets one drain be asked for, however many events come",
)

webhook_counts = Table(
    "pos_webhook_counts",
    metadata,
    Column("pos_system", Text, nullable=False),
    Column("outcome", Text, nullable=False, comment="refused, malformed or repeated"),
    Column("hour", DateTime(timezone=True), nullable=False),
    Column("events", BigInteger, nullable=False),
    PrimaryKeyConstraint("pos_system", "outcome", "hour"),
    comment="deliveries of which nothing is stored",
)

webhook_subscriptions = Table(
    "pos_webhook_subscriptions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("pos_system", Text, nullable=False),
    Column("external_id", Text, comment="null until the vendor has one"),
    Column("url", Text, nullable=False, comment="as the vendor has it"),
    Column("other_url", Text, comment="accepted as well: the address before or after a change"),
    Column("base_url", Text, nullable=False, comment="the vendor address it was made at"),
    Column("keys_sealed", Text, nullable=False, comment="the signature keys, current one first"),
    Column("is_enabled", Boolean, nullable=False),
    instant("rotated_at", comment="since when the previous key or address is only accepted"),
    Column("request_key", Uuid, comment="of a request whose answer is not stored yet"),
    Column("problem", Text, comment="why the last attempt failed"),
    instant("checked_at", nullable=False, now=True),
    instant("tried_at", nullable=False, now=True),
    UniqueConstraint("pos_system", "base_url"),
)
