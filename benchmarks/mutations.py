"""Genuine deliveries of every POS, changed in every way that comes to mind, as bytes on a connection.

The same seed makes the same mutations. Each says whether its acceptance would be a forgery: its proof is not
that of the delivery, it goes to another address, or its proof covers the body and the body is another one.
"""

import base64
import binascii
import gzip
import json
import random
import re
import string
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import unquote_to_bytes
from uuid import UUID

from benchmarks.deliveries import Sent, written
from benchmarks.load import Request
from pipelines.registry import connectors, get_connector

Headers = tuple[tuple[bytes, bytes], ...]
UNCHANGED = "unchanged"
"""The kind of those that are sent as they are, so that it shows when everything is refused."""
_PATH = re.compile(rb"(?:http://[^/?#]*)?([^?#]*)")
_PASSWORD_HEADER = b"authorization"
_TYPE_HEADER = b"content-type"
_HUGE_BODY = b'{"type":"' + b"x" * 2_000_001 + b'"}'
_DEEP = 20_000
_LONG = 20_000
_HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 10**400, -(10**40), 1e-320, float("nan"), float("-inf"), "", " ", "\x00",
    "\x1f", "\ud800", "\U0010ffff", "١٢٣", "x" * _LONG, "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999999Z", "'; drop table pos_transactions; --", "${jndi:x}", "../../etc/passwd",
    [], {}, [[]], {"": {}}, ["x"] * 500,
)  # fmt: skip
_BODIES = (
    b"", b" ", b"null", b"[]", b"{}", b'""', b"0", b"{", b'{"', b"\x00" * 64, b"\xff\xfe{}",
    b"\xef\xbb\xbf{}", b"[" * _DEEP, b'{"a":' * _DEEP, b'{"a":' * 500 + b"1" + b"}" * 500, b"9" * _LONG,
    b'{"type":1e999999999}', b'{"type":"\\ud800"}', b"a=b&c=d", b"<!DOCTYPE x []><x/>",
    b'{"type":"a","type":"b"}', b'{"a":NaN}',
)  # fmt: skip
_TYPES = (
    b"", b"text/plain", b"application/xml", b"application/x-www-form-urlencoded",
    b"application/json; charset=utf-16", b"multipart/form-data; boundary=x", b"multipart/form-data",
    b"application/json;;;=", b"*/*", b"\xff",
)  # fmt: skip
_NOISE: Headers = (
    (b"content-encoding", b"gzip"), (b"content-encoding", b"br"), (b"expect", b"100-continue"),
    (b"x-forwarded-for", b"256.1.1.1, ::1, \xff"), (b"x-forwarded-proto", b"https"),
    (b"host", b"\xff.example"), (b"x-request-id", b"' or 1=1 --"), (b"x-request-id", b"a" * 4_000),
    (b"cookie", b"=;=;" * 200), (b"range", b"bytes=5-1"), (b"upgrade", b"websocket"),
    (b"x-http-method-override", b"DELETE"), (b"if-match", b"*"), (b"accept", b"\x80"),
    (b"accept-encoding", b"identity;q=0"), (b"te", b"trailers"), (b"authorization", b"Bearer a.b.c"),
    (b"authorization", b"Digest x"), (b"x y", b"z"), (b"", b"z"), (b"x-long", b"y" * 70_000),
    (b"forwarded", b'for="[::1'), (b"transfer-encoding", b"chunked, identity"),
)  # fmt: skip
_METHODS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "BREW", "P\x00ST")


@dataclass(frozen=True)
class Mutation(Request):
    """One changed delivery.

    Args:
        kind: how it was changed.
        is_forged: whether to accept it would be wrong.
    """

    kind: str = ""
    is_forged: bool = False


@dataclass(frozen=True)
class _Draft:
    """A delivery while it is being changed.

    Args:
        read: the body as a receiver reads it, where it is not what is written.
        is_sized: says how long its body is.
        kept_bytes: so many are written, then the connection is cut.
    """

    path: bytes
    headers: Headers
    body: bytes
    method: str = "POST"
    read: bytes | None = None
    is_sized: bool = True
    after: Literal["go_on", "close", "cut"] = "go_on"
    kept_bytes: int | None = None


_Change = Callable[[random.Random, _Draft, Sent, Sequence[Sent]], _Draft]


def mutations(genuine: Sequence[Sent], count: int, seed: int) -> Iterator[Mutation]:
    """So many mutations, of each POS and each kind alike.

    Args:
        genuine: deliveries as their vendors sent them.
        seed: of the changes; the same makes the same.
    """
    chance = random.Random(seed)
    by_pos = {name: [each for each in genuine if each.pos_system == name] for name in connectors()}
    of_each = [some for some in by_pos.values() if some]
    kinds = list(_CHANGES.items())
    for number in range(count):
        some = of_each[number % len(of_each)]
        kind, change = kinds[number // len(of_each) % len(kinds)]
        yield _made(kind, change, chance, chance.choice(some), some)


def _made(kind: str, change: _Change, chance: random.Random, sent: Sent, others: Sequence[Sent]) -> Mutation:
    draft = change(chance, _Draft(sent.path.encode(), sent.headers, sent.body), sent, others)
    data = written(draft.method, draft.path, draft.headers, draft.body, sized=draft.is_sized)
    return Mutation(data[: draft.kept_bytes], draft.after, kind, _is_forged(draft, sent))


def _is_forged(draft: _Draft, sent: Sent) -> bool:
    read = draft.body if draft.read is None else draft.read
    is_proven = bool(_proofs(draft.headers, sent) & _proofs(sent.headers, sent))
    is_covered = proof_covers_body(sent.pos_system)
    where = _PATH.match(draft.path)
    is_there = where is not None and unquote_to_bytes(where[1]) == sent.path.encode()
    return not is_proven or not is_there or (is_covered and read != sent.body)


def proof_covers_body(pos_system: str) -> bool:
    """Whether deliveries of a POS are signed; otherwise they come with a password."""
    return _proof_header(pos_system) != _PASSWORD_HEADER


def _proof_header(pos_system: str) -> bytes:
    """The header that proves where a delivery comes from: the first that its POS reads."""
    return get_connector(pos_system).webhook.headers[0].encode()


def _proofs(headers: Headers, sent: Sent) -> set[bytes]:
    """What the headers prove with; two spellings in base64 of the same bytes are the same."""
    name = _proof_header(sent.pos_system)
    words = (value.split()[-1] if value.split() else b"" for each, value in headers if each.lower() == name)
    return {_decoded(word) for word in words}


def _decoded(word: bytes) -> bytes:
    try:
        return base64.b64decode(word)
    except (binascii.Error, ValueError):
        return word


def _unchanged(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    return draft


def _bits(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    body = bytearray(draft.body)
    for _ in range(chance.choice((1, 1, 1, 2, 8, 64))):
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return replace(draft, body=bytes(body))


def _pieces(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """Too short, too long, turned around, or a piece taken out or put in twice."""
    first, second = sorted(chance.randrange(len(draft.body) + 1) for _ in range(2))
    body = draft.body
    made = (
        body[:first], body[first:], body[:first] + body[second:], body[:second] + body[first:], body * 2,
        body[::-1], body + b"\n", b" " + body, body + b"\x00",
    )  # fmt: skip
    return replace(draft, body=chance.choice(made))


def _cut(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    return replace(draft, after="cut", kept_bytes=chance.randrange(1, len(draft.body) + 200))


def _values(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """JSON with hostile values, or without some of it, at any depth."""
    content = json.loads(draft.body)
    for _ in range(chance.choice((1, 1, 2, 5))):
        node = content
        while isinstance(node, dict | list) and node:
            key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
            if isinstance(node[key], dict | list) and node[key] and chance.random() < 0.8:
                node = node[key]
            elif chance.random() < 0.2:
                del node[key]
                break
            else:
                node[key] = deepcopy(chance.choice(_HOSTILE))
                break
    return replace(draft, body=json.dumps(content).encode())


def _other_bodies(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    if chance.random() < 0.01:
        return replace(draft, body=_HUGE_BODY, after="close")
    return replace(draft, body=chance.choice(_BODIES))


def _encodings(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    text = draft.body.decode()
    made = (
        text.encode("utf-16"), text.encode("utf-32-be"), b"\xef\xbb\xbf" + draft.body,
        gzip.compress(draft.body, 1), base64.b64encode(draft.body), draft.body.replace(b'"', b"'"),
        draft.body.replace(b":", b": ", 1), draft.body[:-1] + b"\xc3\x28}", text.encode("utf-7"),
        json.dumps(text).encode(),
    )  # fmt: skip
    return replace(draft, body=chance.choice(made))


def _proof(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """Another proof, or none, or several."""
    name = _proof_header(sent.pos_system)
    true = dict(draft.headers)[name]
    at, letter = chance.randrange(len(true)), chance.choice(string.ascii_letters).encode()
    word = true.split()[-1]
    made = (
        true[:at] + letter + true[at + 1 :], true[:at], true + b"=", b"", b"=" * 44, b"A" * 43 + b"=",
        true * 2, true.lower(), true.upper(), letter * 8_000, b"\xff" * 44, true.swapcase(),
        b"Basic " + word, word[::-1], b"Bearer " + word, b"Basic", b"Basic Og==",
        true[:at] + b"\t" + true[at:], b"sha256=" + word,
    )  # fmt: skip
    rest = tuple(each for each in draft.headers if each[0] != name)
    another = (name, chance.choice(made))
    headers = chance.choice(
        (rest, (*rest, another), (*rest, another), (*rest, another, another), (another, *draft.headers))
    )
    return replace(draft, headers=headers)


def _swapped(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """What proves one delivery, with another's body or at another's address."""
    other = chance.choice(others)
    made = (
        replace(draft, body=other.body),
        replace(draft, headers=other.headers),
        replace(draft, path=other.path.encode()),
    )
    return chance.choice(made)


def _types(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    rest = tuple(each for each in draft.headers if each[0] != _TYPE_HEADER)
    return replace(draft, headers=(*rest, (_TYPE_HEADER, chance.choice(_TYPES))))


def _noise(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """Other headers beside the genuine ones; some of them make the request another one, or none."""
    noise = tuple(chance.sample(_NOISE, chance.choice((1, 1, 3))))
    letters = bytes(chance.randrange(33, 256) for _ in range(12))
    extra = chance.choice((noise, noise, noise, ((letters, letters),)))
    return replace(draft, headers=(*draft.headers, *extra), after="close")


def _spelling(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """The same headers in other words; it stays genuine."""
    headers = [(name.upper(), b"  " + value + b" ") for name, value in draft.headers]
    chance.shuffle(headers)
    return replace(draft, headers=tuple(headers))


def _chunks(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """The body in chunks, genuine as it is, or with a mistake in their framing."""
    size = chance.choice((1 + len(draft.body) // 3, 4_096, 97))
    parts = [draft.body[at : at + size] for at in range(0, len(draft.body), size)]
    extension = chance.choice((b"", b"", b";a=b"))
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(each), extension, each) for each in parts)
    chunked = replace(
        draft,
        headers=(*draft.headers, (b"transfer-encoding", b"chunked")),
        read=draft.body,
        is_sized=False,
        after="close",
    )
    last = chance.choice((b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nx-trailer: y\r\n\r\n", b"zz\r\n", b"-1\r\n\r\n"))
    if chance.random() < 0.2:
        return replace(chunked, body=body, after="cut")
    return replace(chunked, body=body + last, is_sized=chance.random() < 0.2)


def _answering() -> list[str]:
    """The POS systems whose address without an id does not wait for a secret that nobody has set."""
    found = connectors().items()
    return [
        name
        for name, each in found
        if "application" not in each.webhook.scopes or each.webhook.operator_secrets()
    ]


def _paths(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    path = draft.path
    pos_system = sent.pos_system.encode()
    nobody = f"/{UUID(int=chance.getrandbits(128))}".encode()
    letters = bytes(chance.choice(b"abz019-_.~%/;:@&=+$,") for _ in range(20))
    made = (
        path + b"/", path + b"?a=b", path + b"//", b"/" + path, path.upper(), path + b"%00", path + b"/..",
        path.replace(b"/v1/", b"/v1/%2e%2e/v1/"), path.replace(b"api", b"%61pi"), path + b"/" + letters,
        path.replace(pos_system, b"nobody"), path.replace(pos_system, letters),
        path.replace(pos_system, b""), path.replace(pos_system, b"x" * 3_000),
        path.replace(pos_system, b"\xc3\xa9"), path + b"/status", path + nobody,
        path + b"/00000000-0000-0000-0000-000000000000", path + b"/1",
        b"*", b"http://127.0.0.1" + path, letters, b"/",
        b"/api/v1/webhooks/" + chance.choice(_answering()).encode(), path + b"#a", path + b"%ff%fe",
    )  # fmt: skip
    return replace(draft, path=chance.choice(made), after="close")


def _methods(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    return replace(draft, method=chance.choice(_METHODS), after="close")


def _framing(chance: random.Random, draft: _Draft, sent: Sent, others: Sequence[Sent]) -> _Draft:
    """Lengths that are none, two, wrong, or beside chunks."""
    short = chance.randrange(len(draft.body))
    made: tuple[tuple[bytes, ...], ...] = (
        (b"-1",), (b"abc",), (b"",), (b"9" * 30,), (b"0x10",), (b"%d" % short,), (b"5", b"6"), (b"2000001",),
        (b"%d" % len(draft.body), b"%d" % short), (b"+%d" % len(draft.body),),
    )  # fmt: skip
    lengths = tuple((b"content-length", each) for each in chance.choice(made))
    shorter = draft.body[:short] if lengths[0][1] == b"%d" % short else None
    framed = replace(draft, headers=(*draft.headers, *lengths), is_sized=False, read=shorter)
    return replace(framed, after="cut" if lengths[0][1] == b"2000001" else "close")


_CHANGES: dict[str, _Change] = {
    "bits": _bits,
    "pieces": _pieces,
    "values": _values,
    "bodies": _other_bodies,
    "encodings": _encodings,
    "proof": _proof,
    "swapped": _swapped,
    "types": _types,
    "headers": _noise,
    "spelling": _spelling,
    "chunks": _chunks,
    "paths": _paths,
    "methods": _methods,
    "framing": _framing,
    "cut": _cut,
    UNCHANGED: _unchanged,
}
