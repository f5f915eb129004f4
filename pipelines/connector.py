"""What a point-of-sale system must offer to be synced: one `CONNECTOR` record per folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pipelines.webhook import References, Webhook

if TYPE_CHECKING:
    from pipelines.credentials import Keeper
    from pipelines.http import VendorHttp
    from pipelines.windows import Plan

Document = Mapping[str, Any]
"""One vendor object as parsed JSON; numbers with a fraction are Decimal, never float."""

Credentials = Mapping[str, Any]

KnownValues = Mapping[str, frozenset[str]]
"""By path (`tenders[].type`), the values of a field that are known."""


@dataclass(frozen=True)
class Stream:
    """One kind of document.

    Args:
        name: also the raw table's name.
        overlap: how far a read reaches back into what was read before.
        is_per_location: whether the ledger keeps its windows per location or for the whole account.
        refers_to_order: whether its documents name an order in `order_id`.
        holds_locations: whether its documents are the account's shops, as the vendor confirms them.
        is_gapless: whether the ledger is to cover it from the beginning of the account's history.
        is_sliced: whether its history is read in slices of time, the newest first; else as a whole.
        reread: how far back it is read again once a day, whatever the ledger covers.
    """

    name: str
    overlap: timedelta = timedelta(0)
    is_per_location: bool = False
    refers_to_order: bool = False
    holds_locations: bool = False
    is_gapless: bool = True
    is_sliced: bool = False
    reread: timedelta = timedelta(0)


@dataclass(frozen=True)
class Identity:
    """What names a document and orders its versions."""

    external_id: str
    version: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Location:
    """A shop, as the vendor confirmed it."""

    external_id: str
    name: str


@dataclass(frozen=True)
class Account:
    """The vendor's answer to «whose credentials are these?»; `opened_at` is when its history can begin."""

    account_id: str
    name: str
    locations: tuple[Location, ...]
    opened_at: datetime


@dataclass(frozen=True)
class Page:
    """Documents of one answer; `read_at` is when it was asked for, None where nobody knows."""

    stream: str
    documents: Sequence[Document]
    read_at: datetime | None


@dataclass(frozen=True)
class WindowRead:
    """A half-open interval [window_from, window_to) of one stream that has been read completely."""

    stream: str
    location_ids: tuple[str, ...]
    window_from: datetime
    window_to: datetime


@dataclass(frozen=True)
class ReadRequest:
    """Everything a connector needs to read one configuration.

    Args:
        credentials: for what a customer wrote beside the secrets, such as which shops to read.
        plan: says which windows of a stream and location are still to be read.
        waiting: per stream, documents that were incomplete and are to be asked for again.
    """

    configuration_id: UUID
    account_id: str
    credentials: Credentials
    http: "VendorHttp"
    plan: "Plan"
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class OAuth:
    """How a customer connects by logging in at the vendor.

    Args:
        authorize_url: where the customer is sent, for (redirect address, state, PKCE challenge by S256); the
            challenge is left out where the vendor does not take one. Raises SettingsError where the operator
            has no application.
        exchange: credentials, as they are stored, for (code, redirect address, PKCE verifier).
    """

    authorize_url: Callable[[str, str, str], str]
    exchange: Callable[[str, str, str], dict[str, Any]]


@dataclass(frozen=True)
class Connector:
    """One POS. All functions are free of state; credentials come in at run time.

    Args:
        sales_stream: the stream whose documents become transactions.
        base_url: the operator's address of the vendor, without a slash at the end.
        read_credentials: checks what a customer gave; raises CredentialsError naming what is missing.
        open_http: a client that sends the keeper's credentials to that address, and renews them.
        confirm: asks the vendor whose credentials they are; raises CredentialsError when they say otherwise.
        read: yields pages, and a WindowRead when a window is complete.
        locate: the shop in a document of the stream that holds them, or None.
        identify: raises DocumentError when the document has no usable id.
        strip: the document without personal data.
        incomplete: why a document is known to be incomplete, or None.
        known_values: per stream, the vendor's lists of values; others are counted.
        unpack: the documents in what somebody saved: one object, an array or a search answer.
        webhook: how the vendor tells of changes.
        leans_on_operator: whether credentials only name shops and are used with the operator's own, so that
            the vendor's answer does not prove that the shops are the customer's.
        lookup: asks for the documents that events have named, by stream; what the vendor does not have yet is
            not on the pages. None where documents come otherwise.
        oauth: how a customer connects by logging in; None where the vendor has no such way.
        give_up: gives up the access of an account's credentials at an address of the vendor, of all that the
            account gave the operator; None where the vendor has no such call.
    """

    pos_system: str
    title: str
    streams: tuple[Stream, ...]
    sales_stream: str
    base_url: Callable[[], str]
    read_credentials: Callable[[Mapping[str, Any]], dict[str, Any]]
    open_http: Callable[[str, "Keeper"], "VendorHttp"]
    confirm: Callable[["VendorHttp", Credentials], Account]
    read: Callable[[ReadRequest], Iterator[Page | WindowRead]]
    locate: Callable[[Document], Location | None]
    identify: Callable[[str, Document], Identity]
    strip: Callable[[str, Document], Document]
    incomplete: Callable[[str, Document], str | None]
    known_values: Mapping[str, KnownValues]
    unpack: Callable[[str, Any], list[Document]]
    webhook: Webhook
    leans_on_operator: Callable[[Credentials], bool]
    lookup: Callable[["VendorHttp", References], Iterator[Page]] | None = None
    oauth: OAuth | None = None
    give_up: Callable[[str, Credentials], None] | None = None

    def stream(self, name: str) -> Stream:
        """The stream of that name; KeyError when there is none."""
        return {stream.name: stream for stream in self.streams}[name]
