"""What survives which death, and what a start says when it cannot be one."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import EMAIL, KEY, PASSWORD, Stack
from tests.e2e.test_event_stream import signed_in
from tests.polling import happens_within
from tests.receiver import Received, Receiver
from tests.web.stream.listening import ENDED, Heard, Tab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CALLBACKS = 50


@pytest.fixture(scope="module")
def kept_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for tests that leave it as they found it."""
    with Stack(tmp_path_factory.mktemp("kept"), migrated=True) as running:
        yield running


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that a test may end."""
    with Stack(tmp_path / "var", migrated=True) as running:
        yield running


def alive(pids: dict[int, str]) -> list[str]:
    return [command for pid, command in pids.items() if Path(f"/proc/{pid}").exists()]


def test_callbacks_survive_the_death_of_their_worker(kept_stack: Stack, receiver: Receiver) -> None:
    def slow(_: Received) -> tuple[int, dict[str, str], bytes]:
        threading.Event().wait(0.05)  # a receiver that takes its time
        return 200, {}, b""

    receiver.answer = slow
    review = {"type": "approval", "expiresInSeconds": 4, "callback": {"url": receiver.url}}
    asked = {kept_stack.ask(review) for _ in range(CALLBACKS)}
    receiver.wait_for(10, seconds=30)
    os.kill(kept_stack.child(" worker "), signal.SIGKILL)
    received = receiver.wait_for(CALLBACKS, seconds=40)
    until = time.monotonic() + 40
    while {r.json["message_id"] for r in received} != asked and time.monotonic() < until:
        received = receiver.wait_for(len(received) + 1, seconds=1)
    tries = defaultdict(set)
    for request in received:
        tries[request.json["message_id"]].add((request.event_id, request.body))
    assert tries.keys() == asked
    assert all(len(same) == 1 for same in tries.values())
    repeated = len(received) - CALLBACKS
    print(  # noqa: T201  # the figures of this run
        f"\nkilled worker: due={CALLBACKS} distinct={len(tries)} dup={repeated} lost=0"
    )
    assert repeated <= 1, "one sender was killed, so at most one callback comes twice"


def test_sigterm_ends_everything_within_ten_seconds(own_stack: Stack) -> None:
    children = own_stack.children()
    assert len(children) == 4
    assert own_stack.stop() < 10
    assert alive(children) == []


def test_killed_parent_leaves_nothing_behind(own_stack: Stack) -> None:
    children = own_stack.children()
    own_stack.process.kill()
    assert happens_within(5, lambda: not alive(children)), alive(children)


def test_dead_web_process_is_started_again(kept_stack: Stack) -> None:
    os.kill(kept_stack.child("uvicorn"), signal.SIGKILL)
    assert happens_within(20, lambda: kept_stack.call("GET", "/health").ok)


def test_second_start_changes_nothing_and_prints_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with Stack(folder) as first:
        asked = first.ask({"type": "approval"})
        assert first.find(f"({KEY})")
        assert first.find(f"({PASSWORD})")
        assert first.find(r"Webhook secret\s+(whsec_\S+)") == [first.secret]
    started = time.monotonic()
    with Stack(folder, environment={"BOOTSTRAP_API_KEY": "", "ADMIN_EMAIL": "x@y.org"}) as second:
        took = time.monotonic() - started
        print(f"\nsecond start: {took:.1f} s")  # noqa: T201
        assert not second.find(f"({KEY}|{PASSWORD}|{EMAIL}|whsec_)")
        assert second.call("GET", f"/api/v1/reviews/{asked}").status_code == 200
        assert len(second.call("GET", "/api/v1/agents").json()) == 1


def refused(stack: Stack) -> str:
    """The output of a start that has to fail with exit code 2."""
    with stack.launch() as process:
        try:
            output, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 2, output
    return output


def test_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        output = refused(Stack(tmp_path / "var", port=taken.getsockname()[1]))
    assert output.count("\n") == 1
    assert "PORT" in output
    assert "in use" in output


def test_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = refused(Stack(tmp_path / "file" / "var"))
    assert output.count("\n") == 1
    assert str(tmp_path / "file") in output


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:9/none", "mysql://x/y", "nonsense"])
def test_wrong_database_address_is_one_clear_line(tmp_path: Path, url: str) -> None:
    output = refused(Stack(tmp_path / "var", environment={"DATABASE_URL": url}))
    assert "DATABASE_URL" in output
    assert "Traceback" not in output


def test_two_servers_cannot_share_a_folder(kept_stack: Stack) -> None:
    output = refused(Stack(kept_stack.folder))
    assert "already runs" in output


def test_no_secret_reaches_the_log(kept_stack: Stack) -> None:
    kept_stack.ask({"type": "approval"})
    kept_stack.call("GET", f"/api/v1/agents?key={KEY}")
    start = next(i for i, line in enumerate(kept_stack.lines) if "ready at" in line)
    assert not any(KEY in line for line in kept_stack.lines[start:])
    assert (
        subprocess.run(
            ["grep", "-rlaF", KEY, str(kept_stack.folder)],  # noqa: S607
            capture_output=True,
        ).returncode
        == 1
    )


def test_open_event_streams_do_not_hold_up_the_end(own_stack: Stack) -> None:
    with Tab(own_stack.url, signed_in(own_stack)) as tab:
        assert own_stack.stop() < 3
        assert tab.next().data == {"reason": "deploy"}
        assert tab.next() == Heard(ENDED)
