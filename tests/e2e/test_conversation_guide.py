"""The programs about conversations in docs/other-wires.md, run as they stand there."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import KEY, Stack
from tests.guides import programs_in
from tests.receiver import Receiver

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

type Start = Callable[[str], "subprocess.Popen[str]"]

HERE = Path(__file__).parent / "conversation_client"
PROGRAMS = {
    name: text
    for name, text in programs_in("other-wires.md").items()
    if name.startswith("conversation")
}
TALK = ["visitor-17: When does my order ship?", "shop-bot: Tomorrow morning."]
REQUIRED = "Field 'text' is required."


def test_every_program_about_conversations_is_tried(stack: Stack) -> None:
    assert PROGRAMS.keys() == {
        "conversation.sh",
        "conversation_fetch.mjs",
        "conversation_axios.mjs",
        "conversation_events.mjs",
    }


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs, with what they need from npm beside them."""
    for tool in ("bash", "curl", "node", "npm"):
        assert shutil.which(tool), f"install {tool} (Debian, Ubuntu: apt install curl nodejs npm)"
    made = tmp_path_factory.mktemp("conversation_client")
    for file in HERE.iterdir():
        shutil.copy(file, made)
    for name, text in PROGRAMS.items():
        (made / name).write_text(text)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=made, check=True)  # noqa: S607
    return made


@pytest.fixture
def start(stack: Stack, folder: Path) -> Iterator[Start]:
    """Starts a program by its name; none is left behind."""
    started: list[subprocess.Popen[str]] = []

    def begin(name: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            ["bash" if name.endswith(".sh") else "node", name],
            cwd=folder,
            env=os.environ | {"LICET_URL": stack.url, "LICET_KEY": KEY},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield begin
    for program in started:
        with program:  # closes its output, too
            program.kill()


def printed(running: "subprocess.Popen[str]") -> list[str]:
    """What a program printed until it ended well."""
    stopped = threading.Timer(60, running.kill)
    stopped.start()
    output, _ = running.communicate()
    stopped.cancel()
    assert running.returncode == 0, output
    return output.strip().splitlines()


@pytest.mark.parametrize("name", ["conversation_fetch.mjs", "conversation_axios.mjs"])
def test_program_talks_and_shows_an_error(start: Start, name: str) -> None:
    assert printed(start(name)) == [*TALK, REQUIRED]


def test_curl_gets_the_documented_answers(start: Start) -> None:
    lines = printed(start("conversation.sh"))
    asked, replied, read, refused = map(json.loads, lines)
    assert asked["message"] == replied["message"] == "Message sent successfully."
    messages = read["data"]["messages"]
    assert [f"{each['sender_id']}: {each['text']}" for each in reversed(messages)] == TALK
    assert read["data"]["conversation_id"] == asked["data"]["conversation_id"]
    assert asked["data"]["message"]["metadata"] == {"user_name": "Kim"}
    assert refused == {"status": "error", "message": REQUIRED, "data": None}


@pytest.fixture
def webhook(stack: Stack) -> Iterator[Receiver]:
    """The webhook of the oldest agent, to which new conversations go."""
    oldest = stack.call("GET", "/api/v1/agents").json()[-1]["id"]
    with Receiver() as receiver:
        stack.call("POST", "/api/v1/agents/setWebhook", {"channelId": oldest, "url": receiver.url})
        yield receiver
        stack.call("POST", "/api/v1/agents/deleteWebhook", {"channelId": oldest})


def test_auto_reply_comes_back_by_the_feed(stack: Stack, start: Start, webhook: Receiver) -> None:
    running = start("conversation_events.mjs")
    (told,) = webhook.wait_for(1)
    assert told.json["event"] == "message:created"
    message = told.json["message"]
    reply = {"channelId": message["channelId"], "replyTo": message["id"], "text": "Tomorrow."}
    assert stack.call("POST", "/api/v1/messages", reply).status_code == 201
    assert printed(running) == ["auto reply: true", "agent: Tomorrow."]
