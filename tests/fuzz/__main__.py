"""Calls every operation of the running product as its OpenAPI document says, and does not.

`python -m tests.fuzz [SEED]`: starts the product on a free port, runs Schemathesis with all checks
against it, and fails on a 5xx or an answer that the document does not know, or if fewer than
2,000 cases were made.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from tests.e2e.stack import EMAIL, KEY, PASSWORD, ROOT, Stack

FEWEST_CASES = 2000
STREAM = "reply-17"
# They would end what the other calls need.
ENDING = ("signOut", "renewSession")
HERE = Path(__file__).parent


def main() -> int:
    seed = sys.argv[1] if len(sys.argv) > 1 else "1"
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        output = _run(stack, seed, folder)
        errors = [line for line in stack.lines if "Traceback" in line or "unforeseen" in line]
    print(output)  # noqa: T201  # a program
    cases = re.search(r"([\d,]+) generated", output)
    enough = cases is not None and int(cases[1].replace(",", "")) >= FEWEST_CASES
    print(f"log lines about failures: {len(errors)}; enough cases: {enough}")  # noqa: T201
    return 0 if enough and not errors and "unique failures" not in output else 1


def _run(stack: Stack, seed: str, folder: str) -> str:
    """What it keeps between runs goes into the folder: every run starts from nothing."""
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "PYTHONPATH": str(ROOT),
        "LICET_FUZZ_IDS": json.dumps(_real_ids(stack.url)),
    }
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{stack.url}/api/schema"),
        *("-H", f"x-api-key: {KEY}", "-H", f"Cookie: access_token={_token(stack.url)}"),
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


def _real_ids(url: str) -> dict[str, list[str]]:
    """Agents, messages with and without a review, and files to call the operations with."""

    def post(path: str, body: dict[str, Any]) -> str:
        answer = requests.post(
            f"{url}/api/v1{path}", json=body, headers={"x-api-key": KEY}, timeout=10
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    agents = [post("/agents", {"name": f"Agent {number}"}) for number in range(40)]
    draft = {"text": "x", "streamId": STREAM, "streamState": "streaming"}
    messages = [post("/messages", {"channelId": each} | draft) for each in agents]
    # Soon over, so that a call which forgets its timeout does not wait for half a minute.
    review = {"review": {"type": "approval", "expiresInSeconds": 1}}
    messages += [post("/messages", {"channelId": each} | review) for each in agents]
    files = [post("/files/store-text", {"channelId": each, "content": "x"}) for each in agents]
    feed = requests.get(f"{url}/api/v1/events", headers={"x-api-key": KEY}, timeout=10)
    return {
        "agents": agents,
        "messages": messages,
        "streams": [STREAM],
        "files": files,
        "plugins": ["status-badge", "form-submit", "diagram"],
        "cursors": [feed.json()["cursor"]],
    }


if __name__ == "__main__":
    sys.exit(main())
