"""Uploads without an end, sent to the running product: refused soon, with next to nothing read."""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.e2e.stack import EMAIL, KEY, PASSWORD, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

MEGABYTE = 1024 * 1024
ENDLESS = 10 * 1024 * MEGABYTE
# What lies in the buffers of two sockets and a proxy while nobody reads.
IN_BUFFERS = 16 * MEGABYTE
PIECE = b"x" * (64 * 1024)
BOUNDARY = "xxBOUNDARYxx"
SOON_SECONDS = 15
# Or the connection was cut before an answer came, which a proxy tells as 502.
REFUSED = {0, 400, 403, 413, 502}


@dataclass
class Outcome:
    """What came back, how much was sent until then, and how long it took."""

    status: int
    sent: int
    seconds: float


def first_part(channel: str, name: str) -> bytes:
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="channelId"\r\n\r\n{channel}\r\n'
    file = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.bin"\r\n\r\n'
    )
    return (field + file).encode()


def pour(stack: Stack, path: str, begin: bytes, *, chunked: bool, **headers: str) -> Outcome:
    """Send ten gigabytes, until an answer comes or the connection ends."""
    length = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(ENDLESS)}
    kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}", "host": "localhost"}
    lines = [f"{name}: {value}" for name, value in (kind | length | headers).items()]
    head = f"POST {path} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    started, sent, answer = time.monotonic(), 0, b""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as connection:
        connection.sendall(head.encode())
        connection.settimeout(0.2)
        for piece in pieces(begin, chunked=chunked):
            try:
                connection.sendall(piece)
                sent += len(piece)
            except TimeoutError:
                pass  # nobody reads on; the answer may be there
            except OSError:
                break
            answer += arrived(connection)
            if answer or sent > ENDLESS or time.monotonic() - started > SOON_SECONDS:
                break
        answer = answer or arrived(connection)
    status = re.match(rb"HTTP/1.1 (\d+)", answer)
    return Outcome(int(status[1]) if status else 0, sent, time.monotonic() - started)


def pieces(begin: bytes, *, chunked: bool) -> Iterator[bytes]:
    for piece in (begin, *(PIECE for _ in range(ENDLESS // len(PIECE)))):
        yield b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece


def arrived(connection: socket.socket) -> bytes:
    connection.settimeout(0)
    try:
        return connection.recv(4096)
    except OSError:
        return b""
    finally:
        connection.settimeout(0.2)


@dataclass
class Door:
    """One way to send a file, and what shows who sends it."""

    path: str
    field: str
    headers: dict[str, str]


def doors(stack: Stack) -> dict[str, Door]:
    person = {"email": EMAIL, "password": PASSWORD}
    token = requests.post(f"{stack.url}/api/auth/login", json=person, timeout=20).cookies
    page = requests.Session()
    shown = page.get(f"{stack.url}/sign-in/", timeout=20).text
    csrf = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)[0]
    form = {"username": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": csrf}
    page.post(f"{stack.url}/sign-in/", data=form, timeout=20)
    cookies = "; ".join(f"{each.name}={each.value}" for each in page.cookies)
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    talk = f"/channels/{stack.channel}/messages/"
    return {
        "agents upload": Door("/api/v1/files/upload", "file", {"x-api-key": KEY}),
        "agents store": Door("/api/v1/files/store", "file", {"x-api-key": KEY}),
        "people upload": Door("/api/files/upload", "file", bearer),
        "avatar": Door(f"/api/agents/{stack.channel}/avatar", "file", bearer),
        "sign-in": Door("/sign-in/", "file", {}),
        "page": Door(talk, "files", {"cookie": cookies, "x-csrftoken": "x" * 64}),
    }


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_upload_without_an_end_is_refused_at_its_beginning(stack: Stack, *, chunked: bool) -> None:
    before = len(stack.call("GET", "/api/v1/files").json())
    for name, door in doors(stack).items():
        begin = first_part(stack.channel, door.field)
        came = pour(stack, door.path, begin, chunked=chunked, **door.headers)
        print(name, chunked, came)  # noqa: T201
        assert came.status in REFUSED, name
        assert came.sent <= IN_BUFFERS, name
        assert came.seconds < SOON_SECONDS, name
    assert len(stack.call("GET", "/api/v1/files").json()) == before
    assert stack.call("GET", "/api/v1/agents").status_code == 200, "it serves on"
