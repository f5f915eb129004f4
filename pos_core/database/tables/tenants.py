"""What belongs to tenants: their connections, who may read, what was done."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pos_core.database.tables.base import instant, metadata

configurations = Table(
    "pos_configurations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("pos_system", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("account_id", Text, nullable=False, comment="as the vendor confirmed it"),
    Column("account_name", Text),
    Column("base_url", Text, nullable=False, comment="the vendor address it was made for"),
    Column("credentials_sealed", Text, comment="null once the credentials are destroyed"),
    Column("credentials_fingerprint", Text),
    Column("credentials_hint", JSONB, comment="by key, the last letters"),
    Column("status", Text, nullable=False, server_default="active"),
    Column("status_reason", Text),
    Column("day_starts_at", Time, nullable=False, server_default=text("'00:00'")),
    instant("history_from"),
    Column("sync_interval_seconds", Integer, nullable=False, server_default="300"),
    instant("next_sync_at", nullable=False, now=True),
    instant("last_succeeded_at"),
    Column("consecutive_failures", Integer, nullable=False, server_default="0"),
    Column(
        "open_hours", ARRAY(SmallInteger), comment="of the week in UTC, 0 is Monday 0:00; null: not known"
    ),
    instant("created_at", nullable=False, now=True),
    instant("updated_at", nullable=False, now=True),
    CheckConstraint("status in ('active', 'disabled', 'deleted')", name="status"),
    CheckConstraint("sync_interval_seconds >= 10", name="interval"),
    UniqueConstraint("tenant_id", "pos_system", "account_id"),
    Index(None, "next_sync_at", postgresql_where=text("status = 'active'")),
    Index(None, "pos_system", "account_id"),
)

configuration_locations = Table(
    "pos_configuration_locations",
    metadata,
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("pos_system", Text, nullable=False),
    Column("external_location_id", Text, nullable=False),
    Column("name", Text),
    Column("is_live", Boolean, nullable=False, server_default="true"),
    PrimaryKeyConstraint("configuration_id", "external_location_id"),
    Index(
        "pos_configuration_locations_live_key",
        "tenant_id",
        "pos_system",
        "external_location_id",
        unique=True,
        postgresql_where=text("is_live"),
    ),
)

shared_tokens = Table(
    "pos_shared_tokens",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("token_sealed", Text, nullable=False),
    instant("renewed_at", nullable=False, now=True),
    comment="access tokens that many configurations use, found by a hash of their credential",
)

connect_states = Table(
    "pos_connect_states",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    instant("expires_at", nullable=False),
    instant("used_at"),
    comment="OAuth connections that were begun; each can be ended once",
)

reader_tenants = Table(
    "pos_reader_tenants",
    metadata,
    Column("reader", Text, nullable=False, comment="the name of a login role in pos_reader"),
    Column("tenant_id", Uuid, nullable=False),
    instant("granted_at", nullable=False, now=True),
    PrimaryKeyConstraint("reader", "tenant_id"),
)

audit_logs = Table(
    "pos_audit_logs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    instant("at", nullable=False, now=True),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("origin", Text, comment="the address or host that it came from"),
    Column("request_id", Text),
    Index(None, "tenant_id", "at"),
    Index(None, "tenant_id", "id"),
    Index(None, "configuration_id", "id"),
)
