"""The operational tables, as SQLAlchemy Core; the migrations create them, this says what they hold.

The meaning of the normalised tables and of raw documents is in `docs/data_model.md`.
"""

from pos_core.database.tables.base import metadata
from pos_core.database.tables.documents import (
    model_builds,
    normalised_loads,
    pending_loads,
    quarantined_documents,
    touched_documents,
    waiting_documents,
)
from pos_core.database.tables.syncs import lateness, sync_logs, sync_requests, sync_windows, vendor_breakers
from pos_core.database.tables.tenants import (
    audit_logs,
    configuration_locations,
    configurations,
    connect_states,
    reader_tenants,
    shared_tokens,
)
from pos_core.database.tables.webhooks import (
    webhook_counts,
    webhook_gate,
    webhook_logs,
    webhook_subscriptions,
)

__all__ = [
    "audit_logs",
    "configuration_locations",
    "configurations",
    "connect_states",
    "lateness",
    "metadata",
    "model_builds",
    "normalised_loads",
    "pending_loads",
    "quarantined_documents",
    "reader_tenants",
    "shared_tokens",
    "sync_logs",
    "sync_requests",
    "sync_windows",
    "touched_documents",
    "vendor_breakers",
    "waiting_documents",
    "webhook_counts",
    "webhook_gate",
    "webhook_logs",
    "webhook_subscriptions",
]
