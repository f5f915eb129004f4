"""One document on its way into raw: named, stripped of personal data, screened, hashed, compared."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines import json_text
from pipelines.connector import Connector, Document, Identity
from pipelines.enums import unknown_values
from pos_core.errors import DocumentError

_LOWEST = datetime.min.replace(tzinfo=UTC)
_LONGEST_ID = 500
"""Characters; ids are indexed, and an index entry holds 2,700 bytes at most."""


@dataclass(frozen=True)
class Landable:
    """A document that raw can hold; `text` is its canonical JSON without personal data.

    Args:
        unknown: path and value of what no list of the vendor's values has.
    """

    stream: str
    identity: Identity
    content_hash: str
    text: str
    read_at: datetime | None
    incomplete: str | None = None
    unknown: tuple[tuple[str, str], ...] = ()

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
    try:
        identity = connector.identify(stream, document)
        text = json_text.canonical(connector.strip(stream, document))
        _check_ids(connector, stream, document, identity)
    except (DocumentError, RecursionError) as error:
        reason = error.message if isinstance(error, DocumentError) else "is nested too deeply"
        # What is no object is wrapped in one, so that its personal data is found all the same.
        kept = json_text.to_text(connector.strip(stream, {"": json_text.cut(document)}).get(""))
        return Unlandable(stream, _readable_id(identity), _hash(kept), kept, read_at, reason)
    incomplete = connector.incomplete(stream, document)
    unknown = tuple(unknown_values(document, connector.known_values.get(stream, {})))
    return Landable(stream, identity, _hash(text), text, read_at, incomplete, unknown)


def _check_ids(connector: Connector, stream: str, document: Document, identity: Identity) -> None:
    """Refuses ids that the raw tables' indexes cannot hold."""
    json_text.canonical(identity.external_id)
    if len(identity.external_id) > _LONGEST_ID:
        raise DocumentError(f"has an id of more than {_LONGEST_ID} characters")
    order_id = document.get("order_id") if connector.stream(stream).refers_to_order else None
    if order_id is not None and len(json_text.to_text(order_id)) > _LONGEST_ID:
        raise DocumentError(f"names an order by more than {_LONGEST_ID} characters")


def _readable_id(identity: Identity | None) -> str | None:
    """The id as a text that the database can hold, for people to recognise."""
    if identity is None:
        return None
    text = identity.external_id[:_LONGEST_ID].encode("utf-8", "backslashreplace").decode()
    return text.replace("\x00", "\\u0000")


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
