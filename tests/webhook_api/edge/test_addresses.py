"""Whose word on an address counts: the connection's, and that of the proxies that are trusted."""

from ipaddress import ip_network

import pytest

from webhook_api.edge.addresses import client_address, subscriber

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.9"], "192.0.2.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("10.0.0.1", ["203.0.113.5, 198.51.100.9"], "198.51.100.9"),
        ("10.0.0.1", ["203.0.113.5", "198.51.100.9, 10.2.2.2"], "198.51.100.9"),
        ("10.0.0.1", ["10.3.3.3"], "10.3.3.3"),
        ("10.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
        ("10.0.0.1", ['"[2001:db8::7]:4711"'], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["198.51.100.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("fd00::1", ["198.51.100.9"], "198.51.100.9"),
        (None, ["198.51.100.9"], None),
        ("somewhere", ["198.51.100.9"], "somewhere"),
    ],
)
def test_the_client_is_the_last_that_no_trusted_proxy_is(
    peer: str | None, forwarded: list[str], client: str | None
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_without_trusted_proxies_nobody_else_is_believed() -> None:
    assert client_address("127.0.0.1", ["198.51.100.9"], []) == "127.0.0.1"


def test_a_subscriber_of_ipv6_has_a_whole_network() -> None:
    assert subscriber("2001:db8:0:1::7") == subscriber("2001:db8:0:1:ffff::9") == "2001:db8:0:1::/64"
    assert subscriber("2001:db8:0:2::7") != subscriber("2001:db8:0:1::7")
    assert subscriber("192.0.2.7") == subscriber("::ffff:192.0.2.7") == "192.0.2.7"
    assert subscriber(None) == subscriber("socket")
