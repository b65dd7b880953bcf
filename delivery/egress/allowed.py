"""EGRESS_ALLOW: the receivers that the operator has named."""

import functools
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ip_network, texts))


PRIVATE = _networks(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7"
)
LOOPBACK = ip_network("::1/128")
NAT64 = ip_network("64:ff9b::/96")
MAPPED = ip_network("::ffff:0:0/96")
# An address in one of these leads to an IPv4 address that it carries.
CARRIERS = (
    MAPPED,
    NAT64,
    *_networks("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
)

NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
# A name whose last label is a number is an address to some resolver (WHATWG URL, 3.5).
NUMBER = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)\.?")
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Allowed:
    """One entry of EGRESS_ALLOW: networks or a name, on one port or on all."""

    networks: tuple[Network, ...] = ()
    name: str = ""
    port: int | None = None
    exact: bool = False

    def contains(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


@functools.cache
def parse_allowed(text: str) -> tuple[Allowed, ...]:
    """Read EGRESS_ALLOW: addresses, networks and names, each with or without a port, and `private`.

    Raises: ValueError that names the entry.
    """
    return tuple(_entry(part.strip()) for part in text.split(",") if part.strip())


def _entry(text: str) -> Allowed:
    if text == "private":
        return Allowed(networks=PRIVATE)
    host, port = _split_port(text)
    try:
        network = ip_network(host, strict=False)
    except ValueError:
        if not NAME.fullmatch(host) or NUMBER.fullmatch(host):
            raise _wrong(text, "is no address, network or name") from None
        return Allowed(networks=PRIVATE, name=host.lower(), port=port)
    _refuse_too_wide(text, network)
    return Allowed((network,), port=port, exact=network.num_addresses == 1)


def _refuse_too_wide(text: str, network: Network) -> None:
    """An entry opens what it says. One that reaches further by translation says too little."""
    if network.prefixlen == 0:
        raise _wrong(text, "allows everything; name networks, or write `private`")
    if network in (LOOPBACK, NAT64):  # the first carries nothing, the second is judged by its load
        return
    for carrier in CARRIERS:
        if network.version == carrier.version and network.overlaps(carrier):
            raise _wrong(
                text, f"has addresses that lead elsewhere ({carrier}); name where they lead"
            )


def _split_port(text: str) -> tuple[str, int | None]:
    """`host:port`, `net/bits:port`, `[v6]:port`; a bare IPv6 address has no port."""
    match = re.fullmatch(r"\[([^]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?", text)
    if match is None:
        return text, None
    host, port = match[1] or match[3], match[2] or match[4]
    if port and not 0 < int(port) <= HIGHEST_PORT:
        raise _wrong(text, "has no valid port")
    return host, int(port) if port else None


def _wrong(text: str, why: str) -> ValueError:
    return ValueError(f"EGRESS_ALLOW: {text!r} {why}")
