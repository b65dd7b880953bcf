"""Pairs recorded from a running Placet, replayed in their order against us.

Agents' calls carry a key; people's, the cookie that their recorded sign-in got. Compared are status
and body, value by value (see `recorded.Comparison`). What is left out of a comparison stands in
DIFFERENCES with its reason, and a test fails if it stopped being one; those of people stand in
docs/people-api.md, too.
"""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_key
from api.people.authentication import COOKIE
from api.realtime.app import Realtime
from inbox.models import Channel, DeliveryStatus
from inbox.services.messages import set_delivery_status
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.api.placet.forms import UPLOAD, Part, channel_part, file_part, send
from tests.api.placet.recorded import Comparison
from tests.asgi import get
from tests.conftest import Agent
from tests.factories import (
    PASSWORD,
    make_channel,
    make_message,
    make_person,
    make_workspace,
)

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "examples/recorded.jsonl").read_text().splitlines()
]

SECRETS = "the agent beside a message is shown without its webhook, where secrets are (design 9.1)"
LEFT_OUT = "$.agent: missing ['ownerId', 'webhookAuth', 'webhookHeaders', 'webhookUrl']"
DIFFERENCES = {
    "api-keys: rotate": "the new key is a row of its own, with an id of its own",
    "plugins: list": "three plugins come along",
    "messages: attachment already linked": "400, not a message with a silent gap (design 10)",
    "respond: approve, option not checked against payload": "an answer has to fit its question",
    "respond: form (webhook has the secret)": SECRETS,
    "respond: goes to inline callback": SECRETS,
    "respond: goes to message-level webhook with agent auth": SECRETS,
    "respond: receiver says 500": SECRETS,
    "reviews: inline callback, agent has no webhook": "credentials in headers are never given back",
    "streams: abort after complete": "a finished stream is final (design 10)",
    "streams: list carries status events": "and so it stays complete, with its text",
}


class Replay:
    """Our side of the recording: two agents' keys, and what names stand for."""

    def __init__(self) -> None:
        home, elsewhere = make_workspace(), make_workspace("Elsewhere")
        self.person: User = make_person(
            home, email="admin@placet.local", display_name="Admin", must_change_password=True
        )
        key = issue_key(workspace=home, created_by=self.person, label="a")
        # People's calls carry the cookie that the recorded sign-in sets.
        self.agent, self.browser = Agent(key.clear), Client(raise_request_exception=False)
        foreign = make_channel(elsewhere)
        names = {"<id:foreign>": str(foreign.pk), "<password>": PASSWORD}
        self.comparison = Comparison(names)
        self.names = self.comparison.names

    def channel(self, name: str) -> Channel:
        return Channel.objects.get(pk=self.names[f"<id:{name}>"])

    def review(self, name: str) -> ReviewRequest:
        return ReviewRequest.objects.get(pk=uuid.UUID(self.names[f"<id:{name}>"]))

    def call(self, pair: dict[str, Any]) -> tuple[int, Any]:
        request = pair["request"]
        path = self.comparison.real(request["path"])
        if "/wait" in path:
            return get(Realtime(fallback=None), path, {"x-api-key": self.agent.key})
        body = (
            self.comparison.real(json.dumps(request["body"]))
            if request["body"] is not None
            else None
        )
        headers = dict(request["headers"])
        if "session" in headers or path == "/api/auth/login":
            answer = self.as_person(request["method"], path, body)
            return answer.status_code, answer.json()
        key = {"<key>": "hp_" + "0" * 48}.get(headers.get("x-api-key", ""), self.agent.key)
        agent = Agent(key if "x-api-key" in headers else "")
        if body is not None and "multipart" in request["body"]:
            answer = send(agent, path, *_parts(json.loads(body)["multipart"]))
        else:
            answer = agent.call(request["method"], path, None if body is None else body.encode())
        if answer.streaming:
            return answer.status_code, {"raw": answer.body.decode()}
        return answer.status_code, answer.json()

    def as_person(self, method: str, path: str, body: str | None = None) -> Any:
        kind = "application/json"
        return self.browser.generic(method, path, (body or "").encode(), content_type=kind)

    def answer(self, name: str, response: dict[str, Any], **more: Any) -> None:
        review = self.review(name)
        answer_review(
            review, answer=Answer(response=response, by=self.person, via=Closer.API, **more)
        )


def _parts(recorded: list[list[str]]) -> list[Part]:
    """Fields are recorded as name and value, files as name, file name, type and content."""
    return [
        (part[0], part[1], part[2], part[3].encode())
        if len(part) == 4
        else (part[0], None, "", part[1].encode())
        for part in recorded
    ]


def _password_changed(replay: Replay) -> None:
    """Here a password that somebody else knows has to be changed first."""
    User.objects.filter(pk=replay.person.pk).update(must_change_password=False)


def _another_key(replay: Replay) -> None:
    made = replay.as_person("POST", "/api/api-keys")
    replay.names["<id:key_tmp2>"] = made.json()["id"]


def _third_agent(replay: Replay) -> None:
    replay.agent.post("/api/v1/agents", {"name": "x"})


def _no_tag(replay: Replay) -> None:
    """What the recording did between two pairs that it kept."""
    body = {"channelId": replay.names["<id:alpha>"], "tag": None}
    replay.agent.post("/api/v1/agents/setTag", body)


def _agent_to_delete(replay: Replay) -> None:
    made = replay.agent.post("/api/v1/agents", {"name": "tmp"})
    replay.names["<id:tmp>"] = made.json()["id"]


def _say(replay: Replay, *texts: str) -> None:
    for text in texts:
        make_message(replay.channel("alpha"), text=text)


def _said_x(replay: Replay) -> None:
    _say(replay, "x")


def _refused_here(replay: Replay) -> None:
    """Messages of the recording that lists show, and that are refused here."""
    _say(replay, "again", "x")


def _message_to_delete(replay: Replay) -> None:
    replay.names["<id:bye>"] = str(make_message(replay.channel("alpha")).pk)


def _message_arrived(replay: Replay) -> None:
    message_id = uuid.UUID(replay.names["<id:usermsg>"])
    set_delivery_status(message_ids=[message_id], status=DeliveryStatus.DELIVERED)


def _approved(replay: Replay) -> None:
    # Placet stores an option that does not exist; here the row is made to say what it recorded.
    replay.answer("rev1", {"selectedOption": "approve"})
    said = json.dumps({"comment": "fine", "selectedOption": "neither"})
    ReviewRequest.objects.filter(pk=replay.review("rev1").pk).update(response_json=said)
    _delivered(replay, "rev1", DeliveryStatus.DELIVERED)


def _delivered(replay: Replay, name: str, status: DeliveryStatus) -> None:
    set_delivery_status(message_ids=[replay.review(name).pk], status=status)


def _form_arrived(replay: Replay) -> None:
    _delivered(replay, "form", DeliveryStatus.DELIVERED)


def _another_receiver(replay: Replay) -> None:
    address = "http://127.0.0.1:8999/status/500"
    _ask(replay, "failhook", text="f", webhookUrl=address, review={"type": "approval"})


def _signed_on(replay: Replay) -> None:
    ping = {"agentId": replay.names["<id:alpha>"], "status": "active"}
    replay.agent.post("/api/v1/status/ping", ping)


def _own_agent_again(replay: Replay) -> None:
    body = {"channelId": replay.names["<id:beta>"], "isSubagent": False}
    replay.agent.post("/api/v1/agents/setSubagent", body)


def _own_receiver(replay: Replay) -> None:
    options = [
        {"id": "approve", "label": "OK", "style": "primary"},
        {"id": "reject", "label": "No"},
    ]
    review = {"type": "approval", "payload": {"options": options}}
    _ask(replay, "ownhook", text="own hook", webhookUrl="http://127.0.0.1:8999/own", review=review)


def _gave_up(replay: Replay) -> None:
    _delivered(replay, "failhook", DeliveryStatus.FAILED)


def _ask(replay: Replay, name: str, **body: Any) -> None:
    """A message that the recording made without keeping the pair."""
    asked = {"channelId": replay.names["<id:alpha>"], "review": {"type": "approval"}} | body
    answer = replay.agent.post("/api/v1/messages", asked)
    replay.names[f"<id:{name}>"] = answer.json()["id"]


def _first_iteration_pending(replay: Replay) -> None:
    _ask(replay, "iter1", text="v1")


def _first_iteration_answered(replay: Replay) -> None:
    replay.answer("iter1", {"selectedOption": "reject"}, feedback="again")
    _delivered(replay, "iter1", DeliveryStatus.DELIVERED)


def _two_more_iterations(replay: Replay) -> None:
    replay.answer("iter2", {"selectedOption": "approve"})
    _delivered(replay, "iter2", DeliveryStatus.DELIVERED)
    target = {"iterationOf": replay.names["<id:iter1>"], "channelId": replay.names["<id:alpha>"]}
    third = replay.agent.post("/api/v1/messages", target | {"text": "v3"})
    replay.names["<id:iter3>"] = third.json()["id"]
    _ask(replay, "iter4", text="v4", iterationOf=replay.names["<id:iter2>"])


def _second_step(replay: Replay) -> None:
    body = {"channelId": replay.names["<id:alpha>"], "text": "writing"}
    replay.agent.post("/api/v1/messages/streams/s-1/status", body)


def _three_more_uploads(replay: Replay) -> None:
    channel = channel_part(replay.channel("alpha"))
    for name, filename, kind, content in (
        ("img", "p.png", "image/png", b"\x89PNG"),
        ("", "e.txt", "text/plain", b""),
        ("odd", "ä b;c.txt", "text/plain", b"x"),
    ):
        sent = send(replay.agent, UPLOAD, channel, file_part(content, filename, kind))
        replay.names[f"<id:{name}>"] = sent.json()["id"]


def _deadline_passed(replay: Replay) -> None:
    past = timezone.now() - timedelta(seconds=1)
    ReviewRequest.objects.filter(pk=replay.review("exp1").pk).update(expires_at=past)


# What came of what people did, by the name of their pair.
AFTER: dict[str, Callable[[Replay], None]] = {
    "human: message, webhook with auth and headers": _message_arrived,
    "respond: approve, option not checked against payload": _approved,
    "respond: form (webhook has the secret)": _form_arrived,
    "respond: receiver says 500": _gave_up,
}
# What other pairs did that were not kept, just before the pair of this name.
BEFORE: dict[str, Callable[[Replay], None]] = {
    "api-keys: create": _password_changed,
    "api-keys: list": _another_key,
    "agents: list, newest first": _third_agent,
    "agents: setSubagent": _no_tag,
    "agents: commands": _no_tag,
    "respond: form (webhook has the secret)": _signed_on,
    "respond: goes to inline callback": _own_agent_again,
    "respond: goes to message-level webhook with agent auth": _own_receiver,
    "respond: receiver says 500": _another_receiver,
    "agents: delete": _agent_to_delete,
    "files: store-text": _said_x,
    "messages: inline text attachments": _refused_here,
    "messages: delete": _message_to_delete,
    "iterations: target pending": _first_iteration_pending,
    "iterations: second": _first_iteration_answered,
    "iterations: chain from the root": _two_more_iterations,
    "streams: draft": _second_step,
    "files: store (orphan)": _three_more_uploads,
    "expiry: wait expires it": _deadline_passed,
}


@pytest.mark.django_db(transaction=True)
def test_recorded_pairs_get_the_recorded_answers() -> None:
    replay, found = Replay(), {}
    for pair in PAIRS:
        if pair["name"] in BEFORE:
            BEFORE[pair["name"]](replay)
        status, body = replay.call(pair)
        wrong = replay.comparison.differences(pair["response"]["body"], body)
        if status != pair["response"]["status"]:
            wrong.insert(0, f"status {status}, recorded {pair['response']['status']}")
        if wrong:
            found[pair["name"]] = wrong
        if pair["name"] in AFTER:
            AFTER[pair["name"]](replay)
    assert replay.browser.cookies[COOKIE]["httponly"]
    unexpected = {name: wrong for name, wrong in found.items() if name not in DIFFERENCES}
    assert not unexpected, json.dumps(unexpected, indent=1)
    assert set(found) == set(DIFFERENCES), "a difference is listed that is none any more"
    for name, wrong in found.items():
        if DIFFERENCES[name] == SECRETS:
            assert {each for each in wrong if "callback" not in each} == {LEFT_OUT}, name
