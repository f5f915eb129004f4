"""Page tokens of the configuration: useless once a configuration was published meanwhile.

Source: Toast developer guide, page on pagination: 409 means that reading starts over without a token.
"""

from __future__ import annotations

from sandbox.ids import opaque
from sandbox.toast.book import Book
from sandbox.toast.errors import VendorError


class ConfigPages:
    """Remembers which token goes on where."""

    def __init__(self) -> None:
        """Has handed out nothing."""
        self._tokens: dict[str, tuple[str, int, int]] = {}
        self._handed_out = 0

    def hand_out(self, book: Book, query: str, start: int) -> str:
        """A token for the page that begins at ``start``."""
        self._handed_out += 1
        token = opaque(40, "page", self._handed_out, query)
        self._tokens[token] = (query, start, book.configuration.publications)
        return token

    def start(self, book: Book, query: str, token: str | None) -> int:
        """Where a page begins.

        Raises:
            VendorError: 409 when the configuration was published since, 400 for any other wrong token.
        """
        if token is None:
            return 0
        known = self._tokens.get(token)
        if known is None or known[0] != query:
            raise VendorError(400, "The page token is not valid for this request.")
        if known[2] != book.configuration.publications:
            raise VendorError(409, "The configuration was published while it was read.")
        return known[1]

    def expire(self) -> int:
        """Makes every token stand for a configuration that is no more, and says how many there were."""
        for token, (query, start, _) in self._tokens.items():
            self._tokens[token] = (query, start, -1)
        return len(self._tokens)
