"""Socket events recorded from a running Placet: ours have the same names, payloads and listeners.

Each event is caused here as it was there. Compared is value by value, as for the recorded pairs;
what differs on purpose stands in DIFFERENCES with its reason.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import socketio
from django.utils import timezone

from inbox.models import Channel, ChannelStatus, Message
from inbox.services.channels import (
    Webhook,
    describe_channel,
    note_status,
    set_commands,
    set_webhook,
)
from inbox.services.messages import acknowledge
from inbox.services.streams import note_step, update_stream
from reviews.models import Closer
from reviews.services import Answer, answer_review, expire_due
from tests.api.placet.recorded import Comparison
from tests.api.realtime.running import Running, client, next_event, refusal, settle, subscribe
from tests.factories import (
    make_channel,
    make_key,
    make_message,
    make_person,
    make_review,
    make_ticket,
    make_workspace,
)

EXAMPLES = Path(__file__).parents[1] / "placet/examples/recorded-socket.jsonl"
RECORDED = [json.loads(line) for line in EXAMPLES.read_text().splitlines()]

DIFFERENCES = {
    "review:responded": {
        "$.agent: missing ['ownerId']": "an agent belongs to a workspace, not to one person",
        "$.review.response.selectedOption: 'approve', recorded 'neither'": (
            "an option that the question does not have is refused (M3)"
        ),
        "$.review.response: missing ['comment']": "and so is a comment that it does not ask for",
        "$.agent.webhookAuth.password: '***', recorded 'secret'": "secrets never leave (S2)",
    },
}

pytestmark = pytest.mark.django_db(transaction=True)


def recorded(socket: str, event: str) -> Any:
    (args,) = [r["args"] for r in RECORDED if (r["socket"], r["event"]) == (socket, event)]
    return args[0] if args else None


class Stage:
    """The channel and the messages that the recording names."""

    def __init__(self) -> None:
        self.now = timezone.now()
        channel = make_channel(make_workspace(), name="alpha 2", description="d")
        self.channel = self._as_recorded(channel)
        self.person = make_person(channel.workspace)
        self.rows: dict[str, Message] = {}

    def _as_recorded(self, channel: Channel) -> Channel:
        headers = {"x-extra": "one", "content-type": "application/vnd.own+json"}
        hook = Webhook("http://127.0.0.1:8999/alpha", headers, "u", "secret")
        set_webhook(channel, webhook=hook)
        set_commands(
            channel,
            commands=[
                {
                    "command": "run",
                    "description": "Run it",
                    "acceptsArgs": True,
                    "argHint": "<x>",
                }
            ],
        )
        note_status(channel, status=ChannelStatus.ACTIVE, message=None, now=self.now)
        return Channel.objects.get(pk=channel.pk)

    def post(self, name: str, **draft: Any) -> None:
        self.rows[name] = make_message(self.channel, **draft)

    def names(self) -> dict[str, str]:
        rows = {f"<id:{name}>": str(message.pk) for name, message in self.rows.items()}
        return rows | {"<id:alpha>": str(self.channel.pk)}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def sockets(realtime: Running, stage: Stage) -> Iterator[dict[str, socketio.SimpleClient]]:
    """The recording's two listeners: an agent that subscribed, and a person."""
    key = make_key(stage.channel.workspace).clear
    with (
        client(realtime, apiKey=key) as agent,
        client(realtime, token=make_ticket(stage.person)) as person,
    ):
        subscribe(agent, stage.channel.pk)
        yield {"api key A": agent, "human A": person}


def _status(stage: Stage) -> None:
    describe_channel(stage.channel, tag=None)
    note_status(stage.channel, status=ChannelStatus.ACTIVE, message="up", now=stage.now)


def _created(stage: Stage) -> None:
    stage.post("plain", text="hello")


def _delivered(stage: Stage) -> None:
    stage.post("plain", text="hello")
    acknowledge(stage.rows["plain"])


def _responded(stage: Stage) -> None:
    options = [
        {"id": "approve", "label": "OK", "style": "primary"},
        {"id": "reject", "label": "No"},
    ]
    review = make_review(payload={"options": options}, channel=stage.channel, text="Ship?")
    stage.rows["rev1"] = review.message
    answer = Answer(response={"selectedOption": "approve"}, by=stage.person, via=Closer.API)
    answer_review(review, answer=answer)


def _stepped(stage: Stage) -> None:
    note_step(stage.channel, stream_id="s-1", text="reading", tool_hint=True, now=stage.now)


def _updated(stage: Stage) -> None:
    stage.post("draft", text="Par", stream_id="s-1", stream_state="streaming")
    update_stream(stage.channel, stream_id="s-1", text="Partial", now=timezone.now())


def _expired(stage: Stage) -> None:
    late = make_review(channel=stage.channel, expires_in=timedelta(seconds=-1))
    stage.rows["exp4"] = late.message
    expire_due(limit=1)


CAUSES: dict[str, Callable[[Stage], None]] = {
    "agent:status": _status,
    "message:created": _created,
    "message:delivery": _delivered,
    "review:responded": _responded,
    "message:status": _stepped,
    "message:updated": _updated,
    "review:expired": _expired,
}
TOLD = [
    (each["socket"], each["event"])
    for each in RECORDED
    if each["event"] != "pong" and not each["event"].startswith("(")
]


def test_every_recorded_event_has_a_cause_here() -> None:
    assert {event for _, event in TOLD} == CAUSES.keys()


@pytest.mark.parametrize(("socket", "event"), TOLD)
def test_recorded_event_is_told_to_the_recorded_listener(
    stage: Stage, sockets: dict[str, socketio.SimpleClient], socket: str, event: str
) -> None:
    CAUSES[event](stage)
    name, body = "", None
    while name != event:
        name, body = next_event(sockets[socket])
    comparison = Comparison(stage.names())
    found = comparison.differences(recorded(socket, event), body)
    assert set(found) == set(DIFFERENCES.get(event, {}))


def test_recorded_refusals_and_pong(realtime: Running) -> None:
    assert recorded("unknown key", "(connect_error)") == "unauthorized"
    assert "unauthorized" in refusal(realtime, {"apiKey": "hp_" + "0" * 48})
    assert recorded("no auth", "(connect_error)") == "unauthorized"
    assert "unauthorized" in refusal(realtime, None)
    with client(realtime, apiKey=make_key().clear) as sio:
        assert recorded("api key A", "pong") is None
        assert settle(sio) == []
