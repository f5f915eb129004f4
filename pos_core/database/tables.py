"""The operational tables, as SQLAlchemy Core; the migrations create them, this says what they hold.

The meaning of the normalised tables and of raw documents is in `docs/data_model.md`.
"""

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
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def _instant(
    name: str, nullable: bool = True, now: bool = False, comment: str | None = None
) -> Column[object]:
    default = func.now() if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default, comment=comment)


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
    _instant("history_from"),
    Column("sync_interval_seconds", Integer, nullable=False, server_default="300"),
    _instant("next_sync_at", nullable=False, now=True),
    _instant("last_succeeded_at"),
    Column("consecutive_failures", Integer, nullable=False, server_default="0"),
    Column(
        "open_hours", ARRAY(SmallInteger), comment="of the week in UTC, 0 is Monday 0:00; null: not known"
    ),
    _instant("created_at", nullable=False, now=True),
    _instant("updated_at", nullable=False, now=True),
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
    _instant("renewed_at", nullable=False, now=True),
    comment="access tokens that many configurations use, found by a hash of their credential",
)

connect_states = Table(
    "pos_connect_states",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    _instant("expires_at", nullable=False),
    _instant("used_at"),
    comment="OAuth connections that were begun; each can be ended once",
)

reader_tenants = Table(
    "pos_reader_tenants",
    metadata,
    Column("reader", Text, nullable=False, comment="the name of a login role in pos_reader"),
    Column("tenant_id", Uuid, nullable=False),
    _instant("granted_at", nullable=False, now=True),
    PrimaryKeyConstraint("reader", "tenant_id"),
)

webhook_logs = Table(
    "pos_webhook_logs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Uuid),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id")),
    Column("pos_system", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text),
    _instant("received_at", nullable=False, now=True),
    _instant("vendor_sent_at"),
    Column("outcome", Text, nullable=False, server_default="pending"),
    Column("body", LargeBinary),
    _instant("processed_at"),
    Column("external_ids", ARRAY(Text), comment="sales it announces"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _instant("available_at", nullable=False, now=True, comment="not to be tried before"),
    Column("reason", Text, comment="why it still waits, or was given up"),
    _instant("visible_at", comment="when the marts had its rows"),
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
    _instant("knocked_at"),
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
    _instant("rotated_at", comment="since when the previous key or address is only accepted"),
    Column("request_key", Uuid, comment="of a request whose answer is not stored yet"),
    Column("problem", Text, comment="why the last attempt failed"),
    _instant("checked_at", nullable=False, now=True),
    _instant("tried_at", nullable=False, now=True),
    UniqueConstraint("pos_system", "base_url"),
)

vendor_breakers = Table(
    "pos_vendor_breakers",
    metadata,
    Column("pos_system", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("trips", Integer, nullable=False, comment="how often in a row it was found not to answer"),
    _instant("open_until", nullable=False, comment="nobody asks the vendor before"),
    Column("error_class", Text, comment="of the failure that tripped it last"),
    _instant("opened_at", nullable=False, now=True),
    PrimaryKeyConstraint("pos_system", "base_url"),
    comment="vendors that do not answer; a row goes away with the first answer",
)

sync_logs = Table(
    "pos_sync_logs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("run_id", Text),
    Column("source", Text, nullable=False),
    _instant("started_at", nullable=False, now=True),
    _instant("finished_at"),
    Column("status", Text, nullable=False, server_default="running"),
    Column("windows_read", Integer, nullable=False, server_default="0"),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("pages", Integer, nullable=False, server_default="0"),
    Column("retries", Integer, nullable=False, server_default="0"),
    Column("received_bytes", BigInteger, nullable=False, server_default="0"),
    Column("documents_read", Integer, nullable=False, server_default="0"),
    Column("documents_landed", Integer, nullable=False, server_default="0"),
    Column("documents_new", Integer, nullable=False, server_default="0"),
    Column("documents_changed", Integer, nullable=False, server_default="0"),
    Column("documents_skipped", Integer, nullable=False, server_default="0"),
    Column("documents_quarantined", Integer, nullable=False, server_default="0"),
    Column("documents_waiting", Integer, nullable=False, server_default="0"),
    Column(
        "unknown_values",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="how often each value was landed that no list of the vendor's values has",
    ),
    Column("changes_announced", Integer, nullable=False, server_default="0"),
    Column("changes_unannounced", Integer, nullable=False, server_default="0"),
    Column("changes_unpolled", Integer, nullable=False, server_default="0"),
    Column("seconds", JSONB, comment="per step: fetch, land, normalise"),
    Column("error_class", Text),
    Column("error", Text),
    CheckConstraint("status in ('running', 'succeeded', 'failed', 'postponed')", name="status"),
    Index(None, "configuration_id", "started_at"),
)

sync_requests = Table(
    "pos_sync_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("requested_by", Text, nullable=False),
    _instant("requested_at", nullable=False, now=True),
    Column("read_from", DateTime(timezone=True), comment="null: what is missing"),
    Column("read_to", DateTime(timezone=True), comment="null: until now"),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("launched_at", DateTime(timezone=True), comment="when a run was asked for"),
    Column("sync_id", Uuid, comment="the sync that took it"),
    _instant("finished_at"),
    CheckConstraint("status in ('queued', 'running', 'succeeded', 'failed')", name="status"),
    CheckConstraint("read_from < read_to", name="half_open"),
    Index(
        "pos_sync_requests_open_key",
        "configuration_id",
        "read_from",
        "read_to",
        unique=True,
        postgresql_where=text("status in ('queued', 'running')"),
        postgresql_nulls_not_distinct=True,
    ),
    comment="syncs that somebody asked for; the same again while one is open is the same one",
)

sync_windows = Table(
    "pos_sync_windows",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("stream", Text, nullable=False),
    Column("external_location_id", Text, nullable=False, comment="empty: the whole account"),
    _instant("window_from", nullable=False),
    _instant("window_to", nullable=False),
    Column("sync_id", Uuid, nullable=False, comment="the sync that last extended it"),
    _instant("committed_at", nullable=False, now=True),
    CheckConstraint("window_from < window_to", name="half_open"),
    Index(None, "configuration_id", "stream", "external_location_id", "window_to"),
    comment="intervals read completely; touching ones are one row, so what lies between rows is a gap",
)

audit_logs = Table(
    "pos_audit_logs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _instant("at", nullable=False, now=True),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("origin", Text, comment="the address or host that it came from"),
    Column("request_id", Text),
    Index(None, "tenant_id", "at"),
    Index(None, "tenant_id", "id"),
    Index(None, "configuration_id", "id"),
)

quarantined_documents = Table(
    "pos_quarantined_documents",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("pos_system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("external_id", Text, comment="null where the document has none"),
    Column("content_hash", Text, nullable=False),
    Column(
        "stage",
        Text,
        nullable=False,
        comment="landing: raw cannot hold it; model: the models refuse it; normalise: the database did",
    ),
    Column("reason", Text, nullable=False),
    Column("document", LargeBinary, comment="UTF-8 JSON; only of documents that raw cannot hold"),
    Column("source", Text),
    _instant("read_at"),
    _instant("first_seen_at", nullable=False, now=True),
    _instant("last_seen_at", nullable=False, now=True),
    _instant("resolved_at"),
    CheckConstraint("stage in ('landing', 'model', 'normalise')", name="stage"),
    UniqueConstraint("configuration_id", "stream", "content_hash", "stage"),
    Index(None, "configuration_id", postgresql_where=text("resolved_at is null")),
)

waiting_documents = Table(
    "pos_waiting_documents",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("tenant_id", Uuid, nullable=False),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("pos_system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column(
        "stage",
        Text,
        nullable=False,
        comment="landing: ask the vendor again; normalise: a reference is missing",
    ),
    Column("reason", Text, nullable=False),
    _instant("first_seen_at", nullable=False, now=True),
    _instant("last_seen_at", nullable=False, now=True),
    _instant("give_up_at"),
    _instant("resolved_at"),
    CheckConstraint("stage in ('landing', 'normalise')", name="stage"),
    UniqueConstraint("configuration_id", "stream", "external_id", "stage"),
)

pending_loads = Table(
    "pos_pending_loads",
    metadata,
    Column("pos_system", Text, nullable=False),
    Column("load_id", Text, nullable=False),
    PrimaryKeyConstraint("pos_system", "load_id"),
    comment="the loads that the models are normalising now; filled and emptied in their transaction",
)

normalised_loads = Table(
    "pos_normalised_loads",
    metadata,
    Column("pos_system", Text, nullable=False),
    Column("load_id", Text, nullable=False),
    _instant("normalised_at", nullable=False, now=True),
    PrimaryKeyConstraint("pos_system", "load_id"),
)

touched_documents = Table(
    "pos_touched_documents",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("external_id", Text, comment="null: every document of the configuration"),
    _instant("requested_at", nullable=False, now=True),
)

model_builds = Table(
    "pos_model_builds",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    _instant("built_at", nullable=False, now=True),
    CheckConstraint("id = 1", name="single_row"),
)
