"""Documents aside, and what is still to be normalised."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from pos_core.database.tables.base import instant, metadata

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
    instant("read_at"),
    instant("first_seen_at", nullable=False, now=True),
    instant("last_seen_at", nullable=False, now=True),
    instant("resolved_at"),
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
    instant("first_seen_at", nullable=False, now=True),
    instant("last_seen_at", nullable=False, now=True),
    instant("give_up_at"),
    instant("resolved_at"),
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
    instant("normalised_at", nullable=False, now=True),
    PrimaryKeyConstraint("pos_system", "load_id"),
)

touched_documents = Table(
    "pos_touched_documents",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("configuration_id", Uuid, ForeignKey("pos_configurations.id"), nullable=False),
    Column("external_id", Text, comment="null: every document of the configuration"),
    instant("requested_at", nullable=False, now=True),
)

model_builds = Table(
    "pos_model_builds",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    instant("built_at", nullable=False, now=True),
    CheckConstraint("id = 1", name="single_row"),
)
