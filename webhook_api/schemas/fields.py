"""What several requests and answers have in common."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

Instant = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""A point in time, as RFC 3339 in UTC with Z."""

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
"""One line of text without control characters."""

LIMIT_MAX = 200
