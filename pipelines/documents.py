"""One document on its way into raw: named, stripped of personal data, screened, hashed, compared."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines import json_text
from pipelines.connector import Connector, Document, Identity
from pos_core.errors import DocumentError

_LOWEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Landable:
    """A document that raw can hold; `text` is its canonical JSON without personal data."""

    stream: str
    identity: Identity
    content_hash: str
    text: str
    read_at: datetime | None
    incomplete: str | None = None

    @property
    def rank(self) -> "Rank":
        """What decides between versions of one document; the greater one wins."""
        return rank(self.identity.version, self.identity.updated_at, self.read_at, self.content_hash)


@dataclass(frozen=True)
class Unlandable:
    """A document that raw cannot hold, with the reason; it is quarantined."""

    stream: str
    external_id: str | None
    content_hash: str
    text: str
    read_at: datetime | None
    reason: str


Rank = tuple[bool, int, datetime, datetime, str]


def rank(
    version: int | None, updated_at: datetime | None, read_at: datetime | None, content_hash: str
) -> Rank:
    """Later vendor version, then vendor time, then time of reading, then hash; the absent ranks lowest."""
    return (
        version is not None,
        version or 0,
        updated_at or _LOWEST,
        read_at or _LOWEST,
        content_hash,
    )


def prepare(
    connector: Connector, stream: str, document: Document, read_at: datetime | None
) -> Landable | Unlandable:
    """Makes a vendor's document ready for raw; never raises for what the vendor put into it."""
    identity: Identity | None = None
    stripped: Any = document
    try:
        identity = connector.identify(stream, document)
        stripped = connector.strip(stream, document)
        text = json_text.canonical(stripped)
        json_text.canonical(identity.external_id)
    except DocumentError as error:
        kept = json_text.to_text(
            connector.strip(stream, document) if isinstance(document, dict) else document
        )
        external_id = identity.external_id if identity else None
        if external_id is not None:
            external_id = external_id.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")
        return Unlandable(stream, external_id, _hash(kept), kept, read_at, error.message)
    return Landable(stream, identity, _hash(text), text, read_at, connector.incomplete(stream, document))


@dataclass(frozen=True)
class Known:
    """A version of a document that raw holds already."""

    version: int | None
    updated_at: datetime | None
    read_at: datetime | None
    content_hash: str


def is_news(document: Landable, known: list[Known]) -> bool:
    """Whether landing the document could change what the log says.

    Not when the newest version is the same, nor when the same content is there and would not win. A version
    known only from a replay (no `read_at`) is landed once more when it has really been read.
    """
    if not known:
        return True
    newest = max(known, key=lambda one: rank(one.version, one.updated_at, one.read_at, one.content_hash))
    if newest.content_hash == document.content_hash:
        return newest.read_at is None and document.read_at is not None
    if all(one.content_hash != document.content_hash for one in known):
        return True
    newest_rank = rank(newest.version, newest.updated_at, newest.read_at, newest.content_hash)
    return document.rank > newest_rank


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
