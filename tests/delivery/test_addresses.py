"""Where a request may go: each URL of the table, with nothing allowed and with a list.

Names come from a table, and connections are noted instead of opened.
"""

import ipaddress
import random
import socket
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from delivery.egress import EgressRefusedError, Request, check_url, origin_of, parse_allowed, send
from tests.cases import each
from tests.delivery.address_table import (
    BESIDE,
    LIST,
    METADATA,
    NAMED,
    NAMES,
    OF_THE_LIST,
    PUBLIC,
    REFUSED,
    SPECIAL,
    SPECIAL_LITERALS,
)
from tests.delivery.names import Connects, noted_connects, table_resolver


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connects]:
    monkeypatch.setattr(socket, "getaddrinfo", table_resolver(NAMES))
    with noted_connects() as noted:
        yield noted


def _try(url: str) -> None:
    result = send(Request(url=url, method="POST", headers={}, body=b"{}"))
    assert result.error == "connection refused"


def test_table_is_as_long_as_it_has_to_be() -> None:
    table = {*REFUSED, *SPECIAL_LITERALS, *PUBLIC, *NAMED, *BESIDE}
    assert len(table) >= 240


@pytest.mark.parametrize("allow", ["", LIST])
@pytest.mark.parametrize("url", [*REFUSED, *BESIDE])
def test_refused_url_is_never_connected(
    settings: Settings, connects: Connects, url: str, allow: str
) -> None:
    settings.EGRESS_ALLOW = allow
    with pytest.raises(EgressRefusedError):
        _try(url)
    assert connects == []


@pytest.mark.parametrize("url", SPECIAL_LITERALS)
def test_special_address_is_never_connected(
    settings: Settings, connects: Connects, url: str
) -> None:
    settings.EGRESS_ALLOW = ""
    with pytest.raises(EgressRefusedError):
        check_url(url)
    with pytest.raises(EgressRefusedError):
        _try(url)
    assert connects == []


@pytest.mark.parametrize("url", SPECIAL_LITERALS)
def test_list_opens_what_it_names_and_no_other_special_address(
    settings: Settings, connects: Connects, url: str
) -> None:
    settings.EGRESS_ALLOW = LIST
    if url in OF_THE_LIST:
        _try(url)
        assert connects == [(url[7:-1], 80)]
        return
    with pytest.raises(EgressRefusedError):
        _try(url)
    assert connects == []


@pytest.mark.parametrize("allow", ["", LIST])
@pytest.mark.parametrize("url", PUBLIC)
def test_public_url_is_connected_to_its_address(
    settings: Settings, connects: Connects, url: str, allow: str
) -> None:
    settings.EGRESS_ALLOW = allow
    check_url(url)
    _try(url)
    assert connects[0] == PUBLIC[url]


@pytest.mark.parametrize("url", NAMED)
def test_named_url_is_connected_only_with_the_list(
    settings: Settings, connects: Connects, url: str
) -> None:
    settings.EGRESS_ALLOW = ""
    with pytest.raises(EgressRefusedError):
        _try(url)
    assert connects == []
    settings.EGRESS_ALLOW = LIST
    check_url(url)
    _try(url)
    assert connects == [NAMED[url]]


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("allow", ["169.254.0.0/16", "private", "100.64.0.0/10", "fd00::/8"])
def test_wide_range_never_opens_a_metadata_service(
    settings: Settings, connects: Connects, address: str, allow: str
) -> None:
    settings.EGRESS_ALLOW = allow
    with pytest.raises(EgressRefusedError):
        _try(f"http://[{address}]/" if ":" in address else f"http://{address}/")
    assert connects == []


@pytest.mark.parametrize("address", METADATA)
def test_metadata_service_that_is_named_exactly_is_opened(
    settings: Settings, connects: Connects, address: str
) -> None:
    settings.EGRESS_ALLOW = address
    _try(f"http://[{address}]/" if ":" in address else f"http://{address}/")
    assert connects.hosts == [address]


def test_translation_that_is_named_is_judged_by_what_it_carries(
    settings: Settings, connects: Connects
) -> None:
    settings.EGRESS_ALLOW = "64:ff9b::/96, 10.0.0.0/8"
    for refused in ("7f00:1", "a9fe:a9fe", "a83f:8110", "a01:203"):
        with pytest.raises(EgressRefusedError):
            _try(f"http://[64:ff9b::{refused}]/")
    _try("http://[64:ff9b::808:808]/")
    assert connects.hosts == ["64:ff9b::808:808"]


@each(
    "entry",
    [
        *("0.0.0.0/0", "::/0", "::/8", "2000::/3", "::/96", "64::/16", "2002::/16", "2001::/23"),
        *("::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "[::ffff:10.0.0.1]:80"),
        *("127.1", "2130706433", "0x7f.1", "10.0.0.0/33", "n8n.*", "n8n:0", "http://n8n"),
    ],
)
def test_entry_that_opens_more_or_less_than_it_says_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="EGRESS_ALLOW"):
        parse_allowed(entry)


@pytest.mark.parametrize("allow", ["127.0.0.1", "private", "127.0.0.0/8, 127.0.0.1:5678"])
def test_own_ports_stay_closed_until_they_are_named(
    settings: Settings, connects: Connects, allow: str
) -> None:
    settings.PORT, settings.REDIS_URL = 8123, "redis://localhost:7777/0"
    settings.EGRESS_ALLOW = allow
    for port in (8123, 7777):
        with pytest.raises(EgressRefusedError, match="own"):
            _try(f"http://127.0.0.1:{port}/")
    settings.EGRESS_ALLOW = f"{allow}, 127.0.0.1:8123"
    _try("http://127.0.0.1:8123/")
    assert connects == [("127.0.0.1", 8123)]


# What Python takes for special and we do not. Nothing else may be added without a reason.
EXCEPTIONS = {"::ffff:0:0/96": "older Pythons judge the form; we judge the address it carries"}


def test_whatever_python_says_is_not_global_is_refused(settings: Settings) -> None:
    settings.EGRESS_ALLOW = ""
    excepted = [ipaddress.ip_network(each) for each in EXCEPTIONS]
    slipped = [
        address
        for address in _sample()
        if not address.is_global
        and not any(address in network for network in excepted)
        and not _is_refused(address)
    ]
    assert slipped == []


def _is_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        check_url(f"http://[{address}]/" if address.version == 6 else f"http://{address}/")
    except EgressRefusedError:
        return True
    return False


def _sample() -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Both ends of every special block and their neighbours, and some from everywhere."""
    chance = random.Random(1)  # noqa: S311  # the same addresses every time
    edges = []
    for network in map(ipaddress.ip_network, SPECIAL):
        low, high = int(network[0]), int(network[-1])
        kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        last = 2**network.max_prefixlen - 1
        edges += [kind(n) for n in (low - 1, low, high, high + 1) if 0 <= n <= last]
        edges += [kind(chance.randint(low, high)) for _ in range(20)]
    v4 = [ipaddress.IPv4Address(chance.getrandbits(32)) for _ in range(2000)]
    v6 = [ipaddress.IPv6Address(0x2 << 124 | chance.getrandbits(125)) for _ in range(1000)]
    return [*edges, *v4, *v6]


def test_lane_is_the_same_however_the_name_is_written() -> None:
    written = ["http://Public.example/a", "http://public.example.:80/b", "HTTP://public.example"]
    assert {origin_of(url) for url in written} == {"http://public.example:80"}
