"""Looks for planted secrets wherever the project writes: every column of every table, every file."""

import json
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

_SHORTEST = 10
_COLUMNS = """
    select c.oid::regclass::text, a.attname, format_type(a.atttypid, null)
    from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid
    where c.relkind in ('r', 'm', 'p') and c.relnamespace::regnamespace::text not like 'pg\\_%'
        and c.relnamespace::regnamespace::text <> 'information_schema'
        and a.attnum > 0 and not a.attisdropped
    order by 1, a.attnum
"""


@dataclass(frozen=True)
class Canaries:
    """Secrets, by the name of what they are, in each form in which they might be written."""

    forms: Mapping[bytes, str]

    @classmethod
    def of(cls, secrets: Mapping[str, str]) -> "Canaries":
        """Plain, as JSON, in a URL, and in base64 at each of its three offsets.

        Raises:
            AssertionError: a secret is so short that it may be found by chance.
        """
        forms: dict[bytes, str] = {}
        for name, secret in secrets.items():
            assert len(secret) >= _SHORTEST, name
            plain = secret.encode()
            forms |= dict.fromkeys([plain, json.dumps(secret)[1:-1].encode(), quote(secret).encode()], name)
            # What the letters before it do to base64 is cut off; so is what comes after it.
            forms |= {b64encode(b"x" * by + plain)[4 if by else 0 : -4]: name for by in range(3)}
        return cls(forms)

    def seen_in(self, content: bytes) -> set[str]:
        """The names of the secrets in a content, compressed or not."""
        contents = [content]
        if content[:1] == b"\x78":
            try:
                contents.append(zlib.decompress(content))
            except zlib.error:
                contents = [content]
        return {name for form, name in self.forms.items() for each in contents if form in each}


def in_database(canaries: Canaries, url: str) -> set[str]:
    """`table.column: secret` for each column of a database that shows one."""
    found = set()
    with psycopg.connect(url) as connection:
        for table, column, kind in connection.execute(_COLUMNS).fetchall():
            for content in _contents(connection, table, column, kind):
                found |= {f"{table}.{column}: {name}" for name in canaries.seen_in(content)}
    return found


def in_files(canaries: Canaries, folder: Path, but: Iterable[Path] = ()) -> set[str]:
    """`path: secret` for each file below a folder that shows one, by its name or its content.

    Args:
        but: files that are there to hold a secret, and folders that are looked at in another way.
    """
    found = set()
    for path in sorted(folder.rglob("*")):
        if any(path == each or each in path.parents for each in but) or not path.is_file():
            continue
        shown = path.relative_to(folder)
        content = str(shown).encode() + b"\n" + path.read_bytes()
        found |= {f"{shown}: {name}" for name in canaries.seen_in(content)}
    return found


def _contents(connection: psycopg.Connection[Any], table: str, column: str, kind: str) -> Iterator[bytes]:
    value = sql.SQL("{}" if kind == "bytea" else "{}::text").format(sql.Identifier(column))
    query = sql.SQL("select {} from {} where {} is not null").format(
        value,
        sql.SQL(table),
        sql.Identifier(column),
    )
    for (content,) in connection.execute(query):
        yield bytes(content) if kind == "bytea" else content.encode()
