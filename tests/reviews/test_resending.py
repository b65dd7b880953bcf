"""Sending once more what an agent did not get."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from api.placet.errors import judge
from delivery.engine import deliver_due
from delivery.models import Delivery, Event, GoneUrl, State
from inbox.errors import DomainError
from inbox.models import Channel, DeliveryStatus, Message, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer, ReviewRequest
from reviews.resending import resend
from reviews.services import Answer, answer_review, expire_due
from tests.factories import make_message, make_person, make_review, make_workspace
from tests.receiver import Receiver


@pytest.fixture
def channel(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


@pytest.fixture
def decided(channel: Channel, person: User) -> ReviewRequest:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    return answer_review(make_review(channel=channel), answer=answer)


def send(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: (status, {}, b"")
    deliver_due()


def test_failed_decision_is_sent_again_as_the_same_event(
    decided: ReviewRequest, receiver: Receiver, now: datetime
) -> None:
    send(receiver, 410)
    Delivery.objects.update(state=State.EXHAUSTED)
    GoneUrl.objects.all().delete()
    resend(decided.message, now=now)
    send(receiver, 200)
    first, second = receiver.received
    assert (first.event_id, first.body) == (second.event_id, second.body)
    assert list(Delivery.objects.order_by("replay_no").values_list("replay_no", "state")) == [
        (0, State.EXHAUSTED),
        (1, State.DELIVERED),
    ]
    message = Message.objects.get(pk=decided.pk)
    assert message.delivery_status == DeliveryStatus.DELIVERED


def test_decision_that_waits_for_its_next_try_is_tried_now(
    decided: ReviewRequest, receiver: Receiver, now: datetime
) -> None:
    send(receiver, 500)
    assert deliver_due() == 0, "the next attempt is minutes away"
    resend(decided.message, now=now)
    send(receiver, 200)
    assert len(receiver.received) == 2
    assert Delivery.objects.get().state == State.DELIVERED


def test_address_that_was_corrected_meanwhile_is_used(
    decided: ReviewRequest, receiver: Receiver, channel: Channel, now: datetime
) -> None:
    send(receiver, 500)
    set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/right", headers={"x-own": "1"}))
    resend(Message.objects.get(pk=decided.pk), now=now)
    send(receiver, 200)
    assert [request.path for request in receiver.received] == ["/hook", "/right"]
    assert receiver.received[1].headers["x-own"] == "1"
    states = Delivery.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [State.CANCELLED, State.DELIVERED]


def test_pressing_twice_sends_once(
    decided: ReviewRequest, receiver: Receiver, now: datetime
) -> None:
    send(receiver, 200)
    resend(decided.message, now=now)
    resend(decided.message, now=now)
    send(receiver, 200)
    assert len(receiver.received) == 2
    assert Event.objects.count() == 1


def test_expiry_and_a_persons_message_can_be_sent_again(
    channel: Channel, person: User, receiver: Receiver, now: datetime
) -> None:
    late = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    written = make_message(channel, sender=Sender.USER, author=person)
    send(receiver, 200)
    resend(late.message, now=now)
    resend(written, now=now)
    send(receiver, 200)
    events = sorted(request.json["event"] for request in receiver.received)
    assert events == ["message:created"] * 2 + ["review:expired"] * 2
    assert not [
        secret for secret in ("webhookAuth", "agent") if secret in receiver.received[-1].json
    ]


def refusal(message: Message, now: datetime) -> tuple[int, str, list[Any]]:
    with pytest.raises(DomainError) as caught:
        resend(message, now=now)
    return judge(caught.value)


def test_what_told_the_agent_nothing_cannot_be_sent_again(channel: Channel, now: datetime) -> None:
    for message in (make_message(channel), make_review(channel=channel).message):
        status, text, _ = refusal(message, now)
        assert (status, text) == (400, "Cannot retry delivery for this message")


def test_without_a_receiver_nothing_is_sent(
    decided: ReviewRequest, channel: Channel, person: User, now: datetime
) -> None:
    written = make_message(channel, sender=Sender.USER, author=person)
    set_webhook(channel, webhook=None)
    for message_id, missing in ((decided.pk, "message"), (written.pk, "agent")):
        status, text, _ = refusal(Message.objects.get(pk=message_id), now)
        assert (status, text) == (400, f"No webhook configured for this {missing}")


def test_person_sends_a_failed_decision_again_from_its_page(
    client: Client, decided: ReviewRequest, person: User, receiver: Receiver
) -> None:
    send(receiver, 500)
    client.force_login(person)
    path = f"/inbox/{decided.pk}/"
    assert "Send again" in client.get(path).content.decode()
    answer = client.post(f"{path}send-again/")
    assert (answer.status_code, answer["Location"]) == (303, path)
    assert "The decision is being sent again." in client.get(path).content.decode()
    send(receiver, 200)
    assert "Send again" not in client.get(path).content.decode()


@pytest.mark.parametrize("who", ["viewer", "stranger", "nobody"])
def test_others_do_not_send_it_again(
    client: Client, decided: ReviewRequest, receiver: Receiver, who: str
) -> None:
    send(receiver, 500)
    if who == "viewer":
        client.force_login(make_person(decided.workspace, Role.VIEWER))
    elif who == "stranger":
        client.force_login(make_person(make_workspace("Elsewhere")))
    answer = client.post(f"/inbox/{decided.pk}/send-again/")
    assert answer.status_code == {"viewer": 403, "stranger": 404, "nobody": 302}[who]
    assert deliver_due() == 0
