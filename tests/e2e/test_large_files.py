"""200 MB through the whole product, in and out: what its server needs of memory for it."""

import hashlib
import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.ceph import Ceph
from tests.e2e.stack import KEY, Stack

# Run by `make s3`, the folder too: both take a server of their own.
pytestmark = [pytest.mark.s3, pytest.mark.timeout(180)]

SIZE = 200 * 1024 * 1024
PIECE = os.urandom(1024 * 1024)
# The server's own buffers and one part of an upload to a bucket; far from the file.
MOST_GROWTH = 32 * 1024 * 1024
BOUNDARY = "----------------------------of-parts"


@pytest.fixture(params=["folder", "bucket"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    environment = {"LARGEST_FILE_MB": "256"}
    if request.param == "bucket":
        ceph: Ceph = request.getfixturevalue("ceph")
        environment |= ceph.environment
    with Stack(tmp_path, environment, migrated=True) as running:
        yield running


def test_large_file_goes_in_and_out_in_flat_memory(
    stack: Stack, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    upload(stack, 1024)  # what a first request loads is not what a file costs
    small = upload(stack, 1024)
    download(stack, small)
    grown_in, seconds_in, stored = measured(stack, lambda: upload(stack, SIZE))
    grown_out, seconds_out, digest = measured(stack, lambda: download(stack, stored))
    with capsys.disabled():
        print(  # noqa: T201  # the figures of this run
            f"\n200 MB, {request.node.callspec.id}: upload {seconds_in:.1f} s, the server grew by "
            f"{grown_in / 1e6:.1f} MB; download {seconds_out:.1f} s, {grown_out / 1e6:.1f} MB"
        )
    assert digest == expected_digest()
    assert grown_in < MOST_GROWTH
    assert grown_out < MOST_GROWTH


def expected_digest() -> str:
    hashed = hashlib.sha256()
    for _ in range(SIZE // len(PIECE)):
        hashed.update(PIECE)
    return hashed.hexdigest()


def measured[T](stack: Stack, work: Callable[[], T]) -> tuple[int, float, T]:
    """How far the process that serves grew beyond what it had, at most, and how long it took.

    The others see no byte of it; what a worker loads for its first look at a bucket is no cost of
    this file.
    """
    pid = stack.child("uvicorn")
    before = memory(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    begun = time.monotonic()
    result = work()
    seconds = time.monotonic() - begun
    return memory(pid, "VmHWM") - before, seconds, result


def memory(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def connect(stack: Stack) -> http.client.HTTPConnection:
    address = urlsplit(stack.url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)


def upload(stack: Stack, size: int) -> str:
    """Send a form piece by piece; the id of the file."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="channelId"\r\n\r\n'
        f"{stack.channel}\r\n--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="large.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = connect(stack)
    connection.putrequest("POST", "/api/v1/files/store")
    connection.putheader("x-api-key", KEY)
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(head) + size + len(tail)))
    connection.endheaders()
    connection.send(head)
    for start in range(0, size, len(PIECE)):
        connection.send(PIECE[: size - start])
    connection.send(tail)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 201, body
    return str(json.loads(body)["id"])


def download(stack: Stack, file_id: str) -> str:
    """Read a file piece by piece; its SHA-256."""
    connection = connect(stack)
    connection.request("GET", f"/api/v1/files/{file_id}/download", headers={"x-api-key": KEY})
    answer = connection.getresponse()
    assert answer.status == 200
    hashed = hashlib.sha256()
    while piece := answer.read(len(PIECE)):
        hashed.update(piece)
    connection.close()
    return hashed.hexdigest()
