"""Calls every operation of the running product as its OpenAPI document says, and does not.

`python -m tests.fuzz [SEED]`: starts the product on a free port, runs Schemathesis with all checks
against it, and fails on a 5xx or an answer that the document does not know, if fewer than 2,000
cases were made, or if an operation never did what it is for.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from api.people.examples import BODIES
from api.placet.examples import PAYLOAD
from tests.e2e.stack import EMAIL, KEY, PASSWORD, ROOT, Stack
from tests.polling import happens_within

FEWEST_CASES = 2000
STREAM = "reply-17"
# They would end what the other calls need.
ENDING = ("signOut", "renewSession")
UNREACHED = dict.fromkeys(ENDING, "is left out: it would end what the other calls need") | {
    "getPlugin": "no plugin is installed",
}
MEMBERS = 6
SEEN = "seen.txt"
HERE = Path(__file__).parent


def main() -> int:
    seed = sys.argv[1] if len(sys.argv) > 1 else "1"
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        output = _run(stack, seed, folder)
        unreached = _unreached(stack.url, Path(folder, SEEN).read_text())
        errors = [line for line in stack.lines if "Traceback" in line or "unforeseen" in line]
    print(output)  # noqa: T201  # a program
    cases = re.search(r"([\d,]+) generated", output)
    enough = cases is not None and int(cases[1].replace(",", "")) >= FEWEST_CASES
    print(f"log lines about failures: {len(errors)}; enough cases: {enough}")  # noqa: T201
    print(f"never reached a 2xx: {', '.join(unreached) or 'none'}")  # noqa: T201
    failed = errors or unreached or "unique failure" in output  # one is enough
    return 0 if enough and not failed else 1


def _unreached(url: str, seen: str) -> list[str]:
    """Operations that never got a 2xx, and for which no reason is known."""
    document = requests.get(f"{url}/api/schema?format=json", timeout=30).json()
    names = {
        about["operationId"] for methods in document["paths"].values() for about in methods.values()
    }
    reached = {name for name, status in map(str.split, seen.splitlines()) if status[0] == "2"}
    return sorted(names - reached - UNREACHED.keys())


def _run(stack: Stack, seed: str, folder: str) -> str:
    """What it keeps between runs goes into the folder: every run starts from nothing."""
    token = _token(stack.url)
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "PYTHONPATH": str(ROOT),
        "LICET_FUZZ_IDS": json.dumps(_real_ids(stack.url, token)),
        "LICET_FUZZ_SEEN": str(Path(folder, SEEN)),
    }
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{stack.url}/api/schema"),
        *("-H", f"x-api-key: {KEY}", "-H", f"Cookie: access_token={token}"),
        *(option for name in ENDING for option in ("--exclude-operation-id", name)),
        *("--seed", seed),
        *("--continue-on-failure", "--no-color", "--workers", "2"),
    ]
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout


def _token(url: str) -> str:
    """Of the owner: agents' operations look at the key, people's at the cookie."""
    person = {"email": EMAIL, "password": PASSWORD}
    answer = requests.post(f"{url}/api/auth/login", json=person, timeout=10)
    answer.raise_for_status()
    return answer.cookies["access_token"]


def _real_ids(url: str, token: str) -> dict[str, list[str]]:
    """What to call the operations with: of agents, and of people."""
    agents = _Caller(f"{url}/api/v1", {"x-api-key": KEY})
    person = _Caller(f"{url}/api", {"authorization": f"Bearer {token}"})
    bridge = _Caller(f"{url}/api/messaging", agents.headers)
    server = bridge.get("/message-server/current")["data"]["messageServerId"]
    speaker = _Caller(f"{url}/v1", agents.headers)
    known = _of_agents(agents) | _of_people(agents, person) | _of_conversations(speaker)
    return known | {"servers": [server]}


@dataclass(frozen=True)
class _Caller:
    base: str
    headers: dict[str, str]

    def post(self, path: str, body: dict[str, Any]) -> str:
        """Returns the id of what was made."""
        return str(self.ask(path, body)["id"])

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(self.base + path, json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def send_picture(self, path: str) -> None:
        picture = io.BytesIO()
        Image.new("RGB", (8, 8), "navy").save(picture, "PNG")
        files = {"file": ("a.png", picture.getvalue(), "image/png")}
        answer = requests.post(self.base + path, files=files, headers=self.headers, timeout=30)
        answer.raise_for_status()

    def get(self, path: str) -> Any:
        answer = requests.get(self.base + path, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.json()


def _of_agents(caller: _Caller) -> dict[str, list[str]]:
    """Agents, messages with and without a review, and files."""
    post = caller.post
    agents = [post("/agents", {"name": f"Agent {number}"}) for number in range(40)]
    draft = {"text": "x", "streamId": STREAM, "streamState": "streaming"}
    messages = [post("/messages", {"channelId": each} | draft) for each in agents]
    # Soon over, so that a call which forgets its timeout does not wait for half a minute.
    review = {"review": {"type": "approval", "expiresInSeconds": 1}}
    messages += [post("/messages", {"channelId": each} | review) for each in agents]
    files = [post("/files/store-text", {"channelId": each, "content": "x"}) for each in agents]
    return {
        "agents": agents,
        "messages": messages,
        "streams": [STREAM],
        "files": files,
        "plugins": ["status-badge", "form-submit", "diagram"],
        "cursors": [caller.get("/events")["cursor"]],
    }


def _of_people(agents: _Caller, person: _Caller) -> dict[str, list[str]]:
    """Members, keys, reviews that wait, one whose agent was told, a picture, and the log."""
    receiver = {"name": "Called", "webhookUrl": "http://127.0.0.1:8999/"}
    review = {"type": "approval", "payload": PAYLOAD}
    called = person.post("/agents", receiver)
    person.send_picture(f"/agents/{called}/avatar")
    question = {"channelId": called, "review": review}
    asked = [agents.post("/messages", question) for _ in range(20)]
    person.post(f"/messages/{asked[-1]}/respond", BODIES["answerReview"])
    users = [
        person.post("/users", BODIES["createUser"] | {"email": f"member{number}@example.org"})
        for number in range(MEMBERS)
    ]
    keys = [person.post("/api-keys", {"label": f"Key {number}"}) for number in range(MEMBERS)]
    assert happens_within(10, lambda: bool(person.get("/logs")["data"]))
    return {
        "asked": asked[:-1],
        "told": asked[-1:],
        "pictured": [called],
        "users": users,
        "keys": keys,
        "logs": [row["id"] for row in person.get("/logs")["data"]],
    }


def _of_conversations(speaker: _Caller) -> dict[str, list[str]]:
    """Conversations, and a message of one of them: replies to it may name that one, or none."""
    said = {"sender_id": "visitor-17", "sender_type": "user", "text": "When?"}
    begun = [speaker.ask("/messages", said)["data"] for _ in range(3)]
    return {
        "conversations": [each["conversation_id"] for each in begun],
        "spoken": [begun[0]["message"]["id"]],
    }


if __name__ == "__main__":
    sys.exit(main())
