"""Several people ask for the same at the same moment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery.engine import deliver_due
from delivery.models import Delivery, State
from inbox.models import Channel, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.resending import resend, resend_failed
from tests.concurrency.together import at_once
from tests.factories import make_channel, make_message, make_person, make_workspace
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def channel(receiver: Receiver) -> Channel:
    channel = make_channel(make_workspace())
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


def test_replays_and_single_wishes_at_once_leave_nothing_behind(
    channel: Channel, receiver: Receiver
) -> None:
    person, now = make_person(channel.workspace), timezone.now()
    messages = [make_message(channel, sender=Sender.USER, author=person) for _number in range(30)]
    Delivery.objects.update(state=State.EXHAUSTED, finished_at=now, attempts=1)

    def replay() -> int:
        return resend_failed(channel, since=now - HOUR, now=now)

    def wish() -> int:
        for message in messages[::3]:
            resend(message, now=now)
        return 0

    sent = at_once([replay, wish, replay, deliver_due, replay, wish])
    assert sum(sent) >= 20
    while deliver_due():
        pass
    ids = [request.event_id for request in receiver.received]
    assert len(set(ids)) == 30
    assert len(ids) <= 50, "a single wish repeats what was delivered meanwhile, a replay does not"
    assert not Delivery.objects.filter(state__in=[State.PENDING, State.SENDING]).exists()


def test_replays_at_once_send_each_event_once(channel: Channel, receiver: Receiver) -> None:
    person, now = make_person(channel.workspace), timezone.now()
    for _ in range(30):
        make_message(channel, sender=Sender.USER, author=person)
    Delivery.objects.update(state=State.EXHAUSTED, finished_at=now, attempts=1)
    sent = at_once([lambda: resend_failed(channel, since=now - HOUR, now=now)] * 6)
    assert sum(sent) == 30
    deliver_due()
    ids = [request.event_id for request in receiver.received]
    assert len(ids) == len(set(ids)) == 30
