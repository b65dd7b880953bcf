"""Pairs recorded from a running Placet, replayed in their order against us.

Compared are status and body, value by value; `<...>` in a recording stands for any value of its
kind, and an id is remembered under its name from where it first appears. What is left out of a
comparison stands in DIFFERENCES with its reason, and a test fails if it stopped being one.
"""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from api.realtime.app import Realtime
from attachments.models import Attachment, State
from attachments.storage import put
from inbox.models import Channel, DeliveryStatus, Sender
from inbox.services.messages import set_delivery_status
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.api.placet.recorded import Comparison
from tests.asgi import get
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_message, make_person, make_workspace

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "examples/recorded.jsonl").read_text().splitlines()
]

DIFFERENCES = {
    "messages: attachment already linked": "400, not a message with a silent gap (design 10)",
    "reviews: inline callback, agent has no webhook": "credentials in headers are never given back",
}


class Replay:
    """Our side of the recording: two agents' keys, and what names stand for."""

    def __init__(self) -> None:
        home, elsewhere = make_workspace(), make_workspace("Elsewhere")
        self.person: User = make_person(home)
        self.agent = Agent(make_key(home).clear)
        foreign = make_channel(elsewhere)
        self.comparison = Comparison({"<id:foreign>": str(foreign.pk)})
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
        key = {"<key>": "hp_" + "0" * 48}.get(headers.get("x-api-key", ""), self.agent.key)
        agent = Agent(key if "x-api-key" in headers else "")
        answer = agent.call(request["method"], path, None if body is None else body.encode())
        return answer.status_code, answer.json()

    def answer(self, name: str, response: dict[str, Any], **more: Any) -> None:
        review = self.review(name)
        answer_review(
            review, answer=Answer(response=response, by=self.person, via=Closer.API, **more)
        )


def _third_agent(replay: Replay) -> None:
    replay.agent.post("/api/v1/agents", {"name": "x"})


def _patched_alpha(replay: Replay) -> None:
    Channel.objects.filter(pk=replay.names["<id:alpha>"]).update(name="alpha 2", description="d")


def _say(replay: Replay, *texts: str) -> None:
    for text in texts:
        make_message(replay.channel("alpha"), text=text)


def _refused_here(replay: Replay) -> None:
    """Messages of the recording that lists show: two of pairs not kept, one that we refuse."""
    _say(replay, "again", "x")


def _stored_file(replay: Replay) -> None:
    _say(replay, "x")
    channel = replay.channel("alpha")
    put("stored", b"# hi")
    file = Attachment.objects.create(
        workspace=channel.workspace,
        channel=channel,
        state=State.READY,
        filename="content.md",
        mime_type="text/markdown",
        size=4,
        storage_key="stored",
    )
    replay.names["<id:stored>"] = str(file.pk)


def _message_to_delete(replay: Replay) -> None:
    replay.names["<id:bye>"] = str(make_message(replay.channel("alpha")).pk)


def _person_wrote(replay: Replay) -> None:
    message = make_message(
        replay.channel("alpha"),
        sender=Sender.USER,
        author=replay.person,
        text="hi agent",
        client_id="u-1",
    )
    set_delivery_status(message_id=message.pk, status=DeliveryStatus.DELIVERED)
    replay.names |= {"<id:usermsg>": str(message.pk), "<id#1>": str(replay.person.pk)}


def _approved(replay: Replay) -> None:
    # Placet stores an option that does not exist; here the row is made to say what it recorded.
    replay.answer("rev1", {"selectedOption": "approve"})
    said = json.dumps({"comment": "fine", "selectedOption": "neither"})
    ReviewRequest.objects.filter(pk=replay.review("rev1").pk).update(response_json=said)
    _delivered(replay, "rev1", DeliveryStatus.DELIVERED)


def _delivered(replay: Replay, name: str, status: DeliveryStatus) -> None:
    set_delivery_status(message_id=replay.review(name).pk, status=status)


def _form_filled_in(replay: Replay) -> None:
    replay.answer(
        "form",
        {"user": "u", "pw": "hunter2"},
        feedback="note",
        modified_file_ids={"orig": "new"},
    )
    _delivered(replay, "form", DeliveryStatus.DELIVERED)


def _gave_up(replay: Replay) -> None:
    address = "http://127.0.0.1:8999/status/500"
    _ask(replay, "failhook", text="f", webhookUrl=address, review={"type": "approval"})
    replay.answer("failhook", {"selectedOption": "approve"})
    _delivered(replay, "failhook", DeliveryStatus.FAILED)


def _ask(replay: Replay, name: str, **body: Any) -> None:
    """A review of the recording whose own pair was not kept."""
    asked = {"channelId": replay.names["<id:alpha>"], "review": {"type": "approval"}} | body
    answer = replay.agent.post("/api/v1/messages", asked)
    replay.names[f"<id:{name}>"] = answer.json()["id"]


def _first_iteration_pending(replay: Replay) -> None:
    _ask(replay, "iter1")


def _first_iteration_answered(replay: Replay) -> None:
    replay.answer("iter1", {"selectedOption": "approve"})


def _deadline_passed(replay: Replay) -> None:
    past = timezone.now() - timedelta(seconds=1)
    ReviewRequest.objects.filter(pk=replay.review("exp1").pk).update(expires_at=past)


# What people and other routes did in the recording, just before the pair of this name.
BEFORE: dict[str, Callable[[Replay], None]] = {
    "agents: list, newest first": _third_agent,
    "agents: setWebhook": _patched_alpha,
    "messages: with stored attachment": _stored_file,
    "messages: inline text attachments": _refused_here,
    "messages: delete": _message_to_delete,
    "human: delivered message seen by agent": _person_wrote,
    "reviews: wait on completed": _approved,
    "reviews: form as the agent gets it (single)": _form_filled_in,
    "messages: delivery status after 500": _gave_up,
    "iterations: target pending": _first_iteration_pending,
    "iterations: second": _first_iteration_answered,
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
    unexpected = {name: wrong for name, wrong in found.items() if name not in DIFFERENCES}
    assert not unexpected, json.dumps(unexpected, indent=1)
    assert set(found) == set(DIFFERENCES), "a difference is listed that is none any more"
