"""The official `@elizaos/api-client`, unmodified, and the guide's programs, against the product."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.eliza import fetch_client
from tests.e2e.stack import KEY, Stack
from tests.guides import programs_in
from tests.polling import happens_within

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PROGRAM = Path(__file__).parent / "eliza_client" / "client.mjs"
PROGRAMS = {
    name: text for name, text in programs_in("other-wires.md").items() if name.startswith("eliza")
}
WAITING = "eliza_ask.sh"
FOREIGN = "01a1fbfb-face-7572-91e0-670124d68395"


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product of its own: it counts calls, and refuses who makes too many."""
    environment = {"RATE_LIMITS": "on"}
    with Stack(tmp_path_factory.mktemp("var"), environment, migrated=True) as running:
        yield running


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package installed."""
    folder = tmp_path_factory.mktemp("eliza_client")
    fetch_client(folder)
    return folder


def test_package_needs_nothing_else_at_run_time(client: Path) -> None:
    code = (client / "node_modules/@elizaos/api-client/dist/index.js").read_text()
    assert not re.search(r"^\s*import\b|\brequire\(|\bimport\(", code, re.MULTILINE)


def run(stack: Stack, folder: Path, *command: str) -> str:
    """What a program printed."""
    variables = {"LICET_URL": stack.url, "LICET_KEY": KEY, "LICET_AGENT": stack.channel}
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_program_that_waits_gets_the_reply(counting: Stack, client: Path) -> None:
    (client / WAITING).write_text(PROGRAMS[WAITING])
    with ThreadPoolExecutor() as pool:
        program = pool.submit(run, counting, client, "sh", WAITING)
        assert happens_within(10, lambda: newest(counting)["text"] == "Shall I ship version 4.2?")
        asked = newest(counting)["id"]
        reply = {"channelId": counting.channel, "text": "Ship it", "replyTo": asked}
        assert counting.call("POST", "/api/v1/messages", reply).status_code == 201
        answer = json.loads(program.result(timeout=30))
    assert answer["data"]["metadata"]["reply"]["text"] == "Ship it"


def newest(stack: Stack) -> dict[str, Any]:
    found: list[dict[str, Any]] = stack.call("GET", "/api/v1/messages?limit=1").json()["data"]
    return found[0] if found else {"text": ""}


def test_programs_of_the_guide_do_what_it_says(counting: Stack, client: Path) -> None:
    for name, text in PROGRAMS.items():
        (client / name).write_text(text)
    runners = {".sh": "sh", ".mjs": "node"}
    at_once = [name for name in PROGRAMS if name != WAITING]
    printed = {name: run(counting, client, runners[Path(name).suffix], name) for name in at_once}
    posted = json.loads(printed.pop("eliza_post.sh"))["data"]
    assert (posted["text"], posted["metadata"]) == (
        "When does my order ship?",
        {"user_display_name": "Ada"},
    )
    (read, *_) = json.loads(printed.pop("eliza_read.sh"))["data"]["messages"]
    assert read == posted
    assert printed == {
        "eliza_ingest.sh": '{"success":true}',
        "eliza_client.mjs": "asked: When does my order ship?\n"
        "brought: 1\n"
        "read: Is the shop down? | When does my order ship?\n"
        "BAD_REQUEST: content: is required\n",
    }


def steps(stack: Stack, folder: Path, channel: str) -> dict[str, Any]:
    """What the program said, by step."""
    shutil.copy(PROGRAM, folder)
    said = run(stack, folder, "node", PROGRAM.name, stack.url, KEY, channel, FOREIGN)
    return {step["step"]: step["value"] for step in map(json.loads, said.splitlines())}


def test_client_posts_ingests_reads_and_gets_typed_errors(counting: Stack, client: Path) -> None:
    """The last one: to be refused with a 429, it shows bad keys until its address is refused."""
    channel = counting.channel
    said = steps(counting, client, channel)
    assert_posted(said, channel)
    assert_ingested_and_read(said)
    for step, expected in ERRORS.items():
        assert said[step] == {"typed": True} | expected, step
    late = said["429"]
    assert (late["typed"], late["code"], late["status"]) == (True, "TOO_MANY_REQUESTS", 429)
    assert late["message"] == late["details"]
    assert late["message"].startswith("Too many requests. Try again in ")


def assert_posted(said: dict[str, Any], channel: str) -> None:
    plain, described, whole = (
        said[step] for step in ("post", "post with metadata", "post with everything")
    )
    assert (plain["content"], plain["channelId"], plain["metadata"]) == ("Hello", channel, {})
    assert described["metadata"] == {"userName": "Ada", "n": 1.5}
    assert whole["metadata"] == {"raw_message": {"text": "An answer"}}
    assert whole["inReplyToRootMessageId"] == plain["id"]
    assert whole["sourceType"] == "my_app"
    assert re.fullmatch(r"[0-9a-f-]{36}", said["server"]["messageServerId"])


def assert_ingested_and_read(said: dict[str, Any]) -> None:
    assert said["ingest"] == said["ingest again"] == {"processed": 3}
    assert said["ingest one"] is None  # `{"success": true}` has no data
    pages = said["pages"]
    assert pages[0] == ["From Discord", "three", "two"]
    assert pages[1] == ["one", "An answer", "Again"]
    assert pages[2][0] == "Hello"
    count = sum(len(page) for page in pages)  # the guide's programs wrote some, too
    assert said["of the last hour"] == count
    assert (said["of the next hour"], said["older than an hour"]) == (0, 0)


def error(status: int, code: str, message: str, details: str = "") -> dict[str, Any]:
    return {"status": status, "code": code, "message": message, "details": details or message}


ERRORS = {
    "400 missing": error(
        400, "BAD_REQUEST", "Missing required fields: content", "content: is required"
    ),
    "400 malformed": error(
        400,
        "BAD_REQUEST",
        "Invalid fields: author_id, mode",
        "author_id: must be a UUID; mode: must be one of sync, stream, websocket",
    ),
    "400 in a list": error(
        400,
        "BAD_REQUEST",
        "Missing required fields: messages[1].content",
        "messages[1].content: is required",
    ),
    "400 pages": error(
        400,
        "BAD_REQUEST",
        "Invalid fields: page",
        "page: is not supported: give `before`, the `nextCursor` of the page before",
    ),
    "401": error(401, "UNAUTHORIZED", "Invalid API key"),
    "403": error(403, "FORBIDDEN", "message_server_id is not the server of this channel"),
    "404 channel": error(404, "NOT_FOUND", "Channel not found"),
    "404 route": error(
        404, "NOT_FOUND", "There is no such route. See /api/docs for those there are."
    ),
    "405": error(405, "METHOD_NOT_ALLOWED", 'Method "DELETE" not allowed.'),
    "413": error(413, "PAYLOAD_TOO_LARGE", "The body is larger than 1048576 bytes."),
    "415": error(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json."),
}
