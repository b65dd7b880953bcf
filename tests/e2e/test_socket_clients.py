"""Node's official `socket.io-client`, as Placet's clients use it, against the running product."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.stack import KEY, Stack
from tests.polling import happens_within
from tests.receiver import Receiver

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HERE = Path(__file__).parent / "socket_client"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client program with what it needs installed beside it."""
    for tool in ("node", "npm"):
        assert shutil.which(tool), f"install {tool} (Debian, Ubuntu: apt install nodejs npm)"
    folder = tmp_path_factory.mktemp("socket_client")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)  # noqa: S607
    return folder / "client.mjs"


class NodeAgent:
    """A running client, and what it was told so far."""

    def __init__(self, program: Path, stack: Stack, *channels: str, key: str = KEY) -> None:
        self.told: list[tuple[str, Any]] = []
        self.process = subprocess.Popen(
            ["node", str(program), stack.url, key, *channels],  # noqa: S607  # wherever it is
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                said = json.loads(line)
                self.told.append((said["event"], said.get("data")))

    def hears(self, event: str, **expected: Any) -> Any:
        """Wait for an event whose payload has these values; returns the payload."""

        def found() -> list[Any]:
            return [
                data
                for name, data in list(self.told)
                if name == event and all(data.get(k) == v for k, v in expected.items())
            ]

        assert happens_within(20, found), (event, expected, self.told)
        return found()[0]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self._reader.join(timeout=10)


@pytest.fixture
def channel(stack: Stack) -> str:
    return str(stack.call("GET", "/api/v1/agents").json()[0]["id"])


@pytest.fixture
def agent(program: Path, stack: Stack, channel: str) -> Iterator[NodeAgent]:
    running = NodeAgent(program, stack, channel)
    assert happens_within(20, lambda: ("subscribed", None) in running.told), running.told
    yield running
    running.close()


def test_official_client_follows_a_review_to_its_delivery(
    stack: Stack, page: Page, agent: NodeAgent, receiver: Receiver
) -> None:
    hook = {"webhookUrl": f"{receiver.url}/hook", "text": "Ship it?"}
    review_id = stack.ask({"type": "approval"}, **hook)
    created = agent.hears("message:created", id=review_id)
    assert (created["text"], created["review"]["status"]) == ("Ship it?", "pending")
    page.goto(f"{stack.url}/inbox/{review_id}/")
    page.get_by_role("button", name="Approve").click()
    answered = agent.hears("review:responded", id=review_id)
    assert answered["review"]["response"] == {"selectedOption": "approve"}
    agent.hears("message:delivery", messageId=review_id, deliveryStatus="webhook_delivered")
    stack.call("POST", f"/api/v1/messages/{review_id}/ack", {})
    agent.hears("message:delivery", messageId=review_id, deliveryStatus="agent_received")


def test_official_client_hears_of_an_expiry(stack: Stack, agent: NodeAgent) -> None:
    review_id = stack.ask({"type": "approval", "expiresInSeconds": 1})
    assert agent.hears("review:expired", messageId=review_id) == {"messageId": review_id}


def test_official_client_hears_a_person(
    stack: Stack, page: Page, agent: NodeAgent, channel: str
) -> None:
    page.goto(f"{stack.url}/channels/{channel}/")
    page.locator("textarea").fill("Are you there?")
    page.get_by_role("button", name="Send").click()
    heard = agent.hears("message:created", senderType="user")
    assert heard["text"] == "Are you there?"


def test_official_client_with_a_bad_key_is_told_so(stack: Stack, program: Path) -> None:
    refused = NodeAgent(program, stack, key="hp_" + "0" * 48)
    assert happens_within(20, lambda: ("connect_error", "unauthorized") in refused.told)
    refused.close()
