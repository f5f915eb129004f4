"""Where a request comes from."""

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_SUBSCRIBER_BITS = 64


def client_address(peer: str | None, forwarded: Iterable[str], trusted: Sequence[Network]) -> str | None:
    """The address of the client.

    Args:
        peer: who is at the other end of the connection; None for a socket without addresses.
        forwarded: the X-Forwarded-For headers; the proxy next to us has written the last word.
        trusted: the proxies whose word counts.
    """
    nearest = _parsed(peer or "")
    if nearest is None:
        return peer
    words = [word for header in forwarded for word in header.split(",")]
    while words and any(nearest in network for network in trusted):
        before = _parsed(words.pop())
        if before is None:
            break
        nearest = before
    return str(nearest)


def subscriber(address: str | None) -> str:
    """What is limited together: an IPv4 address, or the network that one subscriber gets in IPv6."""
    parsed = _parsed(address or "")
    if isinstance(parsed, IPv6Address):
        return str(ipaddress.ip_network((int(parsed), _SUBSCRIBER_BITS), strict=False))
    return str(parsed)


def _parsed(word: str) -> Address | None:
    """An address as headers write it: with a port, in brackets, or IPv4 within IPv6."""
    word = word.strip().strip('"')
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(word.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None) or parsed
