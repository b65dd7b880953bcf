"""Names and connections under control: a table, a real name server, and connects that are noted."""

import contextlib
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import pytest
from ssrfguard.resolvers import UdpResolver

A, AAAA = 1, 28

type Answer = Callable[[str, int, int], Sequence[str] | None]


class Connects(list[tuple[str, int]]):
    """Where connections were tried to, in order. None is ever opened."""

    @property
    def hosts(self) -> list[str]:
        return [host for host, _ in self]


@contextlib.contextmanager
def noted_connects() -> Iterator[Connects]:
    noted, connect = Connects(), socket.socket.connect

    def note(sock: socket.socket, address: Any) -> None:
        if sock.type != socket.SOCK_STREAM or not isinstance(address, tuple):
            connect(sock, address)
            return
        noted.append((address[0], address[1]))
        raise ConnectionRefusedError(111, "noted, and not opened")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", note)
        yield noted


def table_resolver(table: Mapping[str, Sequence[str]]) -> Callable[..., list[Any]]:
    """A stand-in for getaddrinfo that asks nobody. Numbers in disguise are read as the C library
    reads them, so that one which slips through leads where it would lead."""
    numeric = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any) -> list[Any]:
        found = table.get(host.rstrip(".").lower())
        if found is None:
            return numeric(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        return [row for address in found for row in _row(numeric, address, port)]

    return look_up


def _row(numeric: Callable[..., list[Any]], address: str, port: int) -> list[Any]:
    return numeric(address, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)


class NameServer:
    """A name server on loopback. `answer` gets name, kind of record and how often it was asked.

    It gives the addresses to answer with, or None for no answer at all.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[tuple[str, int]]()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def resolver(self, seconds: float = 1.0) -> UdpResolver:
        """A stub resolver, in getaddrinfo's place, that asks this server over UDP."""
        port = self._socket.getsockname()[1]
        return UdpResolver(
            nameservers=("127.0.0.1",),
            nameserver_port=port,
            timeout=seconds,
            attempt_timeout=seconds,
            families=(socket.AF_INET, socket.AF_INET6),
        )

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            name, kind = _question(query)
            found = self.answer(name, kind, self.asked.count((name, kind)) + 1)
            self.asked.append((name, kind))
            if found is not None:
                self._socket.sendto(_reply(query, kind, found), client)


def _question(query: bytes) -> tuple[str, int]:
    """The name and the kind of record that a query asks for (RFC 1035, 4.1.2)."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), struct.unpack_from("!H", query, at + 1)[0]


def _reply(query: bytes, kind: int, addresses: Sequence[str]) -> bytes:
    """The answer section points back at the name of the question (RFC 1035, 4.1.4)."""
    packed = [ipaddress.ip_address(address).packed for address in addresses]
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(each)) + each for each in packed
    )
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(packed), 0, 0)
    return head + query[12:] + records
