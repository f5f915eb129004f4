"""The one kind of page that people see: a heading and a sentence."""

from html import escape

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with a page: it loads nothing, and nobody frames it."""


def page(heading: str, sentence: str) -> str:
    """A page in HTML; both texts are escaped."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(heading)}</title></head><body><main><h1>{escape(heading)}</h1>"
        f"<p>{escape(sentence)}</p></main></body></html>"
    )
