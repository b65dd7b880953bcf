"""Where a request may go: the port of a URL, and the addresses that its name has.

The library's table of special addresses is the ground; the rules here are what it lacks.
"""

import functools
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import ssrfguard
from django.conf import settings

from .allowed import MAPPED, NAT64, Address, Allowed, Network, parse_allowed
from .errors import EgressRefusedError
from .targets import LONGEST_URL, name_of, parse_target

CONNECT_TRIES = 3

USUAL_PORTS = frozenset({80, 443})
LOWEST_FREE_PORT = 1024
# Services that can be talked to by smuggled lines of text.
REFUSED_PORTS = frozenset(
    {*range(6000, 6064), 6379, 6667, 11211, 5432, 3306, 27017, 9200, 2375, 2379, 10250}
)
METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.0.23",
            "169.254.42.42",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",  # a public address that is a cloud host's own channel
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fd00:a9fe:a9fe::1",
            "fd00:100::100:200",
            "fe80::a9fe:a9fe",
        ),
    )
)
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal"})
GLOBAL_UNICAST = ip_network("2000::/3")  # all that is given out of IPv6; a new special block is not
# Blocks of protocol assignments: the library opens the anycast services inside them.
ASSIGNMENTS: tuple[Network, ...] = (
    ip_network("192.0.0.0/24"),
    ip_network("2001::/23"),
    ip_network("2002::/16"),
)


def check_url(url: str) -> None:
    """Refuse what can be refused when an address is saved: its form, and literal addresses.

    A name is judged when it is used; it may not resolve yet, or not to the same address.

    Raises: EgressRefusedError.
    """
    target = parse_target(url)
    policy = policy_of(target)
    if target.address is None:
        return
    try:
        policy.check_address(target.address)
    except ssrfguard.SSRFGuardError as refused:
        raise EgressRefusedError(f"{refused}; EGRESS_ALLOW can name it") from refused
    judge(target, target.address)


def policy_of(target: ssrfguard.Target) -> ssrfguard.Policy:
    """What the library may let this target resolve to. `judge` has the last word.

    Raises: EgressRefusedError for a port or a name that is never allowed.
    """
    entries = _speaking_of(target)
    if name_of(target) in METADATA_NAMES and not any(entry.name for entry in entries):
        raise EgressRefusedError(f"{target.host} is a cloud metadata service")
    _refuse_port(target, entries)
    networks = (network for entry in entries for network in entry.networks if network != NAT64)
    return _policy(tuple(networks), target.port)


@functools.lru_cache(maxsize=1000)
def _policy(networks: tuple[Network, ...], port: int) -> ssrfguard.Policy:
    return ssrfguard.Policy(
        allowed_networks=networks,
        allowed_ports=frozenset({port}),
        max_url_length=LONGEST_URL,
        max_connection_attempts=CONNECT_TRIES,
    )


def judge(target: ssrfguard.Target, address: Address) -> None:
    """Apply the rules that the library does not have to one address of the target.

    Raises: EgressRefusedError.
    """
    entries = [entry for entry in _speaking_of(target) if entry.name or entry.contains(address)]
    opened = [entry for entry in entries if entry.contains(address)]
    if _is_metadata(address) and not any(entry.exact for entry in opened):
        raise EgressRefusedError(f"{address} is a reserved service address")
    if not opened and _is_special(address):
        raise EgressRefusedError(f"{address} is no public address; EGRESS_ALLOW can name it")
    _refuse_port(target, entries)
    if address.is_loopback and target.port in _own_ports():
        _require_port(target, entries, "is this server's own")


def _speaking_of(target: ssrfguard.Target) -> list[Allowed]:
    """The entries of EGRESS_ALLOW that can be about this host and port."""
    return [
        entry
        for entry in parse_allowed(settings.EGRESS_ALLOW)
        if entry.port in (None, target.port) and entry.name in ("", name_of(target))
    ]


def _refuse_port(target: ssrfguard.Target, entries: list[Allowed]) -> None:
    is_free = target.port >= LOWEST_FREE_PORT and target.port not in REFUSED_PORTS
    if not is_free and target.port not in USUAL_PORTS:
        _require_port(target, entries, "is refused")


def _require_port(target: ssrfguard.Target, entries: list[Allowed], why: str) -> None:
    """Only an entry that names the port opens it; one without a port means the harmless ones."""
    if not any(entry.port == target.port for entry in entries):
        raise EgressRefusedError(
            f"port {target.port} {why}; EGRESS_ALLOW={target.host}:{target.port} allows it"
        )


def _own_ports() -> set[int]:
    """Where this server, its database and its Redis listen."""
    database = str(settings.DATABASES["default"].get("PORT") or 0)
    return {settings.PORT, int(database), urlsplit(settings.REDIS_URL).port or 0}


def _is_metadata(address: Address) -> bool:
    return address in METADATA or _carried(address) in METADATA


def _is_special(address: Address) -> bool:
    if any(address in network for network in ASSIGNMENTS):
        return True
    if isinstance(address, IPv4Address) or address in MAPPED:
        return False
    return address not in GLOBAL_UNICAST


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to, of those forms that can be let through."""
    if isinstance(address, IPv6Address) and (address in MAPPED or address in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
