"""The JavaScript of docs/webhooks.md, with the reference package from npm, on real deliveries."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from tests.e2e.stack import Stack
from tests.guides import programs_in
from tests.polling import happens_within, listens
from tests.postgres import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HERE = Path(__file__).parent / "webhook_verifier"
GENUINE = 'genuine: review:responded {"selectedOption":"approve"}'


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's program with what it needs installed beside it."""
    for tool in ("node", "npm"):
        assert shutil.which(tool), f"install {tool} (Debian, Ubuntu: apt install nodejs npm)"
    folder = tmp_path_factory.mktemp("webhook_verifier")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    (folder / "receive.mjs").write_text(programs_in("webhooks.md")["receive.mjs"])
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)  # noqa: S607
    return folder / "receive.mjs"


class NodeReceiver:
    """The program while it runs, and what it printed so far."""

    def __init__(self, program: Path, secret: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.told: list[str] = []
        self.process = subprocess.Popen(
            ["node", str(program)],  # noqa: S607  # wherever it is
            env=os.environ | {"LICET_SECRET": secret, "PORT": str(self.port)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert happens_within(20, lambda: listens(self.port))

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.told.append(line.rstrip())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        self._reader.join(timeout=10)


@pytest.fixture
def channel(stack: Stack) -> Iterator[str]:
    """An agent of its own, whose secret may change."""
    channel_id = stack.call("POST", "/api/v1/agents", {"name": "Verifier"}).json()["id"]
    yield channel_id
    stack.call("DELETE", f"/api/v1/agents/{channel_id}")


@pytest.fixture
def receiver(stack: Stack, program: Path, channel: str) -> Iterator[NodeReceiver]:
    shown = stack.call("GET", f"/api/v1/agents/{channel}/signing-secrets").json()
    running = NodeReceiver(program, shown["secrets"][0]["secret"])
    hook = {"channelId": channel, "url": f"{running.url}/hook"}
    assert stack.call("POST", "/api/v1/agents/setWebhook", hook).status_code == 200
    yield running
    running.close()


def ask_and_approve(stack: Stack, page: Page, channel: str) -> None:
    review_id = stack.ask({"type": "approval"}, channelId=channel)
    page.goto(f"{stack.url}/inbox/{review_id}/")
    page.get_by_role("button", name="Approve").click()


def test_published_key_and_feed_are_where_the_api_says(
    stack: Stack, page: Page, receiver: NodeReceiver, channel: str
) -> None:
    shown = stack.call("GET", f"/api/v1/agents/{channel}/signing-secrets").json()
    published = requests.get(shown["keysUrl"], timeout=10)
    assert published.json()["keys"][0]["publicKey"] == shown["publicKey"]
    assert published.headers["cache-control"] == "public, max-age=300"
    ask_and_approve(stack, page, channel)
    assert happens_within(20, lambda: receiver.told == [GENUINE]), receiver.told
    (event,) = stack.call("GET", f"/api/v1/events?channel={channel}").json()["events"]
    assert event["data"]["response"] == {"selectedOption": "approve"}


def test_reference_package_from_npm_judges_real_deliveries(
    stack: Stack, page: Page, receiver: NodeReceiver, channel: str
) -> None:
    secrets = f"/api/v1/agents/{channel}/signing-secrets"
    ask_and_approve(stack, page, channel)
    assert happens_within(20, lambda: receiver.told == [GENUINE]), receiver.told
    stack.call("POST", secrets, {"overlapHours": 1})
    ask_and_approve(stack, page, channel)
    assert happens_within(20, lambda: receiver.told == [GENUINE] * 2), receiver.told
    stack.call("POST", secrets, {"overlapHours": 0})
    ask_and_approve(stack, page, channel)
    assert happens_within(20, lambda: "forged" in receiver.told[2:]), receiver.told
    assert set(receiver.told[2:]) == {"forged"}, "a secret that ended verifies nothing"
