"""What is asked of the sales and what is answered; what a column means is in its table's description."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pos_core.repositories.transactions import Filters, Sort
from webhook_api.schemas.values import Amount, Day, Instant, Quantity, Word

_MOST_VALUES = 100
Kind = Literal["sale", "return", "exchange", "adjustment", "other"]
Status = Literal["draft", "open", "completed", "canceled", "voided", "deleted", "other"]
Source = Literal["poll", "webhook", "backfill", "replay"]
Part = Literal["items", "payments"]
Words = Annotated[list[Word], Field(max_length=_MOST_VALUES)]


class TransactionQuery(BaseModel):
    """The parameters of the listing."""

    model_config = ConfigDict(extra="forbid")

    occurred_from: Instant | None = Field(
        None, description="At or after this instant.", examples=["2026-03-01T00:00:00Z"]
    )
    occurred_to: Instant | None = Field(
        None, description="Before this instant.", examples=["2026-04-01T00:00:00Z"]
    )
    business_date_from: Day | None = Field(
        None, description="On this trading day or later.", examples=["2026-03-01"]
    )
    business_date_to: Day | None = Field(
        None, description="On this trading day or earlier.", examples=["2026-03-31"]
    )
    configuration_id: UUID | None = Field(None, description="The connection that they came by.")
    location: Words = Field(
        default_factory=list,
        description="The vendor's id of a location; may be repeated.",
        examples=[["L8Q"]],
    )
    pos_system: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,50}$")] | None = Field(
        None, description="The point-of-sale system, by the name of its connector."
    )
    kind: Annotated[list[Kind], Field(max_length=_MOST_VALUES)] = Field(
        default_factory=list, description="May be repeated.", examples=[["sale", "return"]]
    )
    status: Annotated[list[Status], Field(max_length=_MOST_VALUES)] = Field(
        default_factory=list, description="May be repeated.", examples=[["completed"]]
    )
    revenue_only: bool = Field(False, description="Only completed sales, returns, exchanges and adjustments.")
    changed_since: Instant | None = Field(
        None,
        description="Normalised at or after this instant, in the order of the changes. Go on from "
        "`next_cursor`, not from a time: then nothing is missed.",
        examples=["2026-03-01T00:00:00Z"],
    )
    sort: Sort | None = Field(
        None,
        description="`occurred`: newest first. `business_date`: newest day first, within it newest first. "
        "`changed`: oldest change first. By default what is filtered says it: `changed` with "
        "`changed_since`, `business_date` where only days are given, else `occurred`.",
    )
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = Field(
        None, description="`next_cursor` of the page before, with the same filters."
    )
    limit: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None,
        description="Rows of a page; 100 by default for JSON. CSV and JSON lines without it have all rows.",
    )
    include: (
        Annotated[str, StringConstraints(pattern=r"^(items|payments|items,payments|payments,items)$")] | None
    ) = Field(None, description="What comes along, comma separated; not in CSV.", examples=["items,payments"])

    @model_validator(mode="after")
    def _not_contradictory(self) -> Self:
        if self.occurred_from and self.occurred_to and self.occurred_from >= self.occurred_to:
            raise ValueError("occurred_from must be before occurred_to")
        days = self.business_date_from, self.business_date_to
        if days[0] and days[1] and days[0] > days[1]:
            raise ValueError("business_date_from must not be after business_date_to")
        if self.changed_since and self.sort not in (None, Sort.CHANGED):
            raise ValueError("changed_since goes with sort=changed alone")
        return self

    @property
    def order(self) -> Sort:
        """The sort that was asked for, or that the filters suggest."""
        if self.sort is not None:
            return self.sort
        if self.changed_since is not None:
            return Sort.CHANGED
        if (self.business_date_from or self.business_date_to) and not (
            self.occurred_from or self.occurred_to
        ):
            return Sort.BUSINESS_DATE
        return Sort.OCCURRED

    @property
    def parts(self) -> frozenset[str]:
        """What is to come along."""
        return frozenset(self.include.split(",") if self.include else ())

    @property
    def filters(self) -> Filters:
        """As the repository knows them; the order of repeated values means nothing."""
        return Filters(
            occurred_from=self.occurred_from,
            occurred_to=self.occurred_to,
            business_date_from=self.business_date_from,
            business_date_to=self.business_date_to,
            configuration_id=self.configuration_id,
            locations=tuple(sorted(set(self.location))),
            pos_system=self.pos_system,
            kinds=tuple(sorted(set(self.kind))),
            statuses=tuple(sorted(set(self.status))),
            revenue_only=self.revenue_only,
            changed_since=self.changed_since,
        )


class SummaryQuery(BaseModel):
    """The parameters of the summary."""

    model_config = ConfigDict(extra="forbid")

    first: Day = Field(alias="from", description="The first trading day.", examples=["2026-03-01"])
    last: Day = Field(
        alias="to", description="The last trading day; at most 366 in all.", examples=["2026-03-31"]
    )
    group_by: Annotated[
        str,
        StringConstraints(
            max_length=60, pattern=r"^(day|location|pos_system)(,(day|location|pos_system)){0,2}$"
        ),
    ] = Field("day,location", description="Comma separated: `day`, `location`, `pos_system`.")

    @model_validator(mode="after")
    def _is_a_bounded_range(self) -> Self:
        if not 0 <= (self.last - self.first).days < 366:
            raise ValueError("from must not be after to, and the range has 366 days at most")
        return self


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Item(_Answer):
    """One line of a transaction."""

    transaction_item_id: UUID
    line_number: int
    external_line_id: str
    parent_external_line_id: str | None
    kind: Literal["product", "modifier", "custom_amount", "gift_card", "other"]
    external_product_id: str | None
    sku: str | None
    name: str | None
    variation_name: str | None
    category: str | None
    quantity: Quantity
    unit: str | None
    unit_price: Amount | None
    gross_amount: Amount
    discount_amount: Amount
    net_amount: Amount
    tax_amount: Amount
    total_amount: Amount
    currency: str
    is_voided: bool
    is_revenue: bool


class Payment(_Answer):
    """One tender or refund of a transaction."""

    transaction_payment_id: UUID
    external_payment_id: str
    method: Literal["cash", "card", "gift_card", "other"]
    amount: Amount
    tip_amount: Amount
    status: Literal["captured", "authorized", "voided", "refunded", "failed", "other"]
    card_brand: str | None
    card_last4: str | None
    paid_at: datetime | None
    currency: str


class Transaction(_Answer):
    """One sales document; `items` and `payments` where they were asked for."""

    transaction_id: UUID
    configuration_id: UUID
    pos_system: str
    external_id: str
    external_order_id: str
    external_location_id: str
    parent_external_id: str | None
    parent_external_order_id: str | None
    kind: Kind
    status: Status
    is_revenue: bool
    prices_include_tax: bool | None
    opened_at: datetime | None
    closed_at: datetime | None
    occurred_at: datetime
    business_date: date
    timezone: str
    currency: str
    gross_sales_amount: Amount
    discount_amount: Amount
    net_sales_amount: Amount
    tax_amount: Amount
    service_charge_amount: Amount
    tip_amount: Amount
    rounding_amount: Amount
    non_sales_amount: Amount
    total_amount: Amount
    residual_amount: Amount
    paid_amount: Amount
    item_count: int
    external_version: int | None
    external_updated_at: datetime | None
    source: Source
    first_received_at: datetime
    normalized_at: datetime
    items: list[Item] | None = None
    payments: list[Payment] | None = None


class TransactionPage(_Answer):
    """A page of transactions."""

    data: list[Transaction]
    next_cursor: str | None = Field(
        description="For the next page; null on the last. Never null with `sort=changed`: keep it, ask again."
    )
    has_more: bool = Field(description="Whether the next page has rows already.")


class DocumentVersion(_Answer):
    """One version of a raw document, as the vendor gave it but for personal data."""

    stream: str
    external_id: str
    external_version: int | None
    external_updated_at: datetime | None
    content_hash: str
    source: Source
    read_at: datetime | None
    received_at: datetime
    payload: Any = Field(None, description="The document; only with `with_payload`.")


class TransactionDetail(Transaction):
    """A transaction with its lines, payments and documents."""

    items: list[Item]
    payments: list[Payment]
    documents: list[DocumentVersion] = Field(
        description="Every version that was received, newest first: of the sales document, and of the "
        "documents that refer to it."
    )
    has_all_documents: bool = Field(description="False where there are more versions than are listed.")


class SummaryRow(_Answer):
    """Sums of one group, in one currency."""

    business_date: date | None = None
    pos_system: str | None = None
    external_location_id: str | None = None
    currency: str
    transaction_count: int = Field(description="Documents that are revenue, returns included.")
    refund_count: int = Field(description="Returns among them.")
    gross_sales_amount: Amount
    discount_amount: Amount
    net_sales_amount: Amount
    tax_amount: Amount
    service_charge_amount: Amount
    tip_amount: Amount
    rounding_amount: Amount
    non_sales_amount: Amount
    total_amount: Amount
    refund_amount: Amount = Field(
        description="The total of the returns; negative, and part of `total_amount`."
    )


class Summary(_Answer):
    """Sums by group; refunds count on the day they were made."""

    data: list[SummaryRow]
