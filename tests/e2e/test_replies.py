"""`sync` and `stream` on one port, and through the proxy that splits by path."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from tests.e2e.stack import KEY, Stack
from tests.polling import happens_within

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as running:
        yield running


def ask(stack: Stack, mode: str) -> str:
    """Post to the agent and wait; returns the whole answer."""
    address = f"{stack.url}/api/messaging/channels/{stack.channel}/messages"
    body = {"content": f"Ship it, {mode}?", "mode": mode}
    answer = requests.post(address, json=body, headers={"X-API-KEY": KEY}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def asked(stack: Stack, mode: str) -> str:
    """The id of the message that waits."""
    found: list[str] = []

    def stored() -> bool:
        page = stack.call("GET", f"/api/v1/messages?channel={stack.channel}&limit=5").json()
        found[:] = [each["id"] for each in page["data"] if each["text"] == f"Ship it, {mode}?"]
        return bool(found)

    assert happens_within(10, stored)
    return found[0]


@pytest.mark.parametrize("mode", ["sync", "stream"])
def test_agents_reply_reaches_the_call_that_waits(
    stack: Stack, pool: ThreadPoolExecutor, mode: str
) -> None:
    call: Future[str] = pool.submit(ask, stack, mode)
    reply = {"channelId": stack.channel, "text": "Shipped", "replyTo": asked(stack, mode)}
    posted = stack.call("POST", "/api/v1/messages", reply).json()
    answer = call.result(timeout=10)
    if mode == "sync":
        assert json.loads(answer)["data"]["metadata"]["reply"]["id"] == posted["id"]
    else:
        last = answer.rstrip().rpartition("\n")[2].removeprefix("data: ")
        assert json.loads(last)["id"] == posted["id"]
