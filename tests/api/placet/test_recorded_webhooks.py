"""Calls that a running Placet made: ours have the same method, path, headers and body.

What differs on purpose stands in DIFFERENCES with its reason.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from delivery.engine import deliver_due
from delivery.models import Delivery
from inbox.models import Channel, Message, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, Callback, answer_review, expire_due
from tests.api.placet.recorded import Comparison
from tests.factories import make_channel, make_message, make_review
from tests.receiver import Received, Receiver

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "examples/recorded-webhooks.jsonl")
    .read_text()
    .splitlines()
]
DIFFERENCES = {
    "respond: approve, option not checked against payload": {
        "$.response.selectedOption: 'approve', recorded 'neither'": (
            "an option that the question does not have is refused (M3)"
        ),
        "$.response: missing ['comment']": "and so is a comment that it does not ask for",
    },
}
# Placet's HTTP client sends two values for one header; a receiver can only mean the agent's own.
CONTENT_TYPE = {"application/json, application/vnd.own+json": "application/vnd.own+json"}
OF_THE_CLIENT = {"host", "accept", "accept-language", "user-agent"}

pytestmark = pytest.mark.django_db


class Stage:
    """The recording's two channels: one with a webhook, one without."""

    def __init__(self, channel: Channel, person: User, receiver: Receiver) -> None:
        self.url, self.person = receiver.url, person
        headers = {"x-extra": "one", "content-type": "application/vnd.own+json"}
        self.alpha = set_webhook(
            channel, webhook=Webhook(f"{receiver.url}/alpha", headers, "u", "secret")
        )
        self.beta = make_channel(channel.workspace, name="beta")
        self.names = {
            "<id:alpha>": str(self.alpha.pk),
            "<id:beta>": str(self.beta.pk),
            "<id#1>": str(person.pk),
        }

    def name(self, name: str, message: Message) -> None:
        self.names[f"<id:{name}>"] = str(message.pk)

    def answer(self, review: ReviewRequest, response: dict[str, Any], **more: Any) -> None:
        answer = Answer(response=response, by=self.person, via=Closer.PAGE, **more)
        answer_review(review, answer=answer)


def _message(stage: Stage) -> None:
    said = make_message(
        stage.alpha, sender=Sender.USER, author=stage.person, text="hi agent", client_id="u-1"
    )
    stage.name("usermsg", said)


def _approved(stage: Stage) -> None:
    review = make_review(channel=stage.alpha)
    stage.name("rev1", review.message)
    stage.answer(review, {"selectedOption": "approve"})


def _form(stage: Stage) -> None:
    fields = [{"name": "user", "type": "text"}, {"name": "pw", "type": "password"}]
    review = make_review("form", {"fields": fields}, channel=stage.alpha)
    stage.name("form", review.message)
    stage.answer(
        review,
        {"user": "u", "pw": "hunter2"},
        feedback="note",
        modified_file_ids={"orig": "new"},
    )


def _callback(stage: Stage) -> None:
    headers = {"x-cb": "yes", "authorization": "Bearer abc"}
    callback = Callback(url=f"{stage.url}/callback", method="PUT", headers=headers)
    review = make_review(channel=stage.beta, spec={"callback": callback})
    stage.name("cb", review.message)
    stage.answer(review, {"selectedOption": "approve"})


def _second_iteration(stage: Stage) -> None:
    first = make_review(channel=stage.alpha, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    Delivery.objects.all().delete()  # the recording is about the second one
    second = make_review(channel=stage.alpha, iteration_of=first.message)
    stage.name("iter1", first.message)
    stage.name("iter2", second.message)
    stage.answer(second, {"selectedOption": "approve"})


def _expired(stage: Stage) -> None:
    late = make_review(channel=stage.alpha, expires_in=timedelta(seconds=-1))
    stage.name("exp4", late.message)
    expire_due(limit=1)


CAUSES: dict[str, Callable[[Stage], None]] = {
    "human: message, webhook with auth and headers": _message,
    "respond: approve, option not checked against payload": _approved,
    "respond: form (webhook has the secret)": _form,
    "respond: goes to inline callback": _callback,
    "iterations: second answered (webhook has chain fields)": _second_iteration,
    "expiry: sweep (within a minute)": _expired,
}


def test_every_recorded_call_has_a_cause_here() -> None:
    assert [each["after"] for each in RECORDED] == list(CAUSES)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["after"])
def test_recorded_call_is_made(
    channel: Channel, person: User, receiver: Receiver, recorded: dict[str, Any]
) -> None:
    stage = Stage(channel, person, receiver)
    CAUSES[recorded["after"]](stage)
    deliver_due()
    (call,) = receiver.received
    expected = recorded["request"]
    assert (call.method, call.path) == (expected["method"], expected["path"])
    assert headers_that_miss(call, expected["headers"]) == {}
    found = Comparison(stage.names).differences(expected["body"], call.json)
    assert set(found) == set(DIFFERENCES.get(recorded["after"], {}))


def headers_that_miss(call: Received, recorded: dict[str, str]) -> dict[str, str]:
    """Recorded headers that did not come, or came with another value."""
    wanted = {name: CONTENT_TYPE.get(value, value) for name, value in recorded.items()}
    return {
        name: value
        for name, value in wanted.items()
        if name not in OF_THE_CLIENT and call.headers.get(name) != value
    }
