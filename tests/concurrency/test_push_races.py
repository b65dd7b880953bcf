"""Senders, tellers and people at the same moment: no push twice, no device too many."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User, Workspace
from delivery.models import Push, PushKey, PushSubscription
from delivery.push.keys import live_key
from delivery.push.queue import Notice, announce, claim
from delivery.push.sending import Sender
from delivery.push.subscriptions import MOST_DEVICES, SubscriptionRefusedError, subscribe
from inbox.models import Channel
from tests.concurrency.together import MANY, at_once
from tests.factories import make_person, make_review
from tests.polling import happens_within
from tests.push import Browser, make_device
from tests.receiver import Receiver
from web.notifying import tell_devices

pytestmark = pytest.mark.django_db(transaction=True)

ENDPOINT = "https://push.example/send"


def offered(user: User, endpoint: str) -> bool:
    try:
        subscribe(user, offer=Browser().offer(endpoint), label="Firefox", now=timezone.now())
    except SubscriptionRefusedError:
        return False
    return True


def test_key_that_is_needed_at_once_by_many_is_made_once() -> None:
    assert len({key.public_key for key in at_once([live_key] * MANY)}) == 1
    assert PushKey.objects.count() == 1


def test_no_person_gets_a_device_too_many(person: User) -> None:
    live_key()
    calls: list[Callable[[], bool]] = [
        partial(offered, person, f"{ENDPOINT}/{number}") for number in range(MANY)
    ]
    assert at_once(calls).count(True) == MOST_DEVICES
    assert person.devices.count() == MOST_DEVICES


def test_browser_that_two_people_claim_is_one_device(workspace: Workspace) -> None:
    live_key()
    people = [make_person(workspace) for _ in range(4)]
    assert all(at_once([partial(offered, user, ENDPOINT) for user in people]))
    assert PushSubscription.objects.count() == 1


def test_push_is_claimed_by_one_sender(person: User, workspace: Workspace, now: datetime) -> None:
    devices = [make_device(person, f"{ENDPOINT}/{number}", now) for number in range(8)]
    end = now + timedelta(hours=1)
    announce([Notice(device.pk, workspace.pk, device.pk, "{}", end) for device in devices])
    claimed = [push.pk for batch in at_once([partial(claim, limit=3)] * 8) for push in batch]
    claimed += [push.pk for push in claim(limit=8)]
    assert sorted(claimed) == sorted(Push.objects.values_list("pk", flat=True))


def test_workers_that_look_at_once_tell_a_device_once(
    person: User, channel: Channel, now: datetime
) -> None:
    device = make_device(person, ENDPOINT, now - timedelta(minutes=1))
    reviews = [make_review(channel=channel) for _ in range(5)]
    at_once([lambda: tell_devices(now=timezone.now())] * 6)
    told = Push.objects.filter(subscription=device).values_list("about", flat=True)
    assert sorted(told) == sorted(review.pk for review in reviews)


def test_sender_works_beside_who_wakes_it_and_one_at_a_time(
    person: User, workspace: Workspace, now: datetime, receiver: Receiver
) -> None:
    """Without TLS the call fails, which is as good an outcome as any."""
    device = make_device(person, receiver.url.replace("http", "https"), now)
    announce([Notice(device.pk, workspace.pk, device.pk, "{}", now + timedelta(hours=1))])
    sender = Sender()
    for _ in range(MANY):
        sender.wake()

    def noted() -> bool:
        return PushSubscription.objects.get(pk=device.pk).last_error.startswith("TLS:")

    assert happens_within(20, noted)
    assert happens_within(20, lambda: sender._busy.acquire(blocking=False))
    assert Push.objects.get().attempts == 1
