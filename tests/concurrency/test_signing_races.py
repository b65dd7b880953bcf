"""Secrets and key pairs that many ask for at once: one is made, and rotations take turns."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from delivery.engine import deliver_due
from delivery.keys import (
    MOST_OLD_ONES,
    RotationRefusedError,
    ensure_key_pair,
    ensure_secret,
    rotate_key_pair,
    rotate_secret,
)
from delivery.models import Delivery, SigningKeyPair, SigningSecret, State
from inbox.models import Channel
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.concurrency.together import MANY, at_once
from tests.factories import make_channel, make_person, make_review, make_workspace
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace())


def decide(channel: Channel, person: User) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    answer_review(make_review(channel=channel), answer=answer)


def test_many_who_need_the_first_secret_get_one(channel: Channel) -> None:
    def ask() -> tuple[str, str]:
        secret = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
        return str(secret.secret), ensure_key_pair(channel.workspace_id).public_key

    assert len(set(at_once([ask] * MANY))) == 1
    assert (SigningSecret.objects.count(), SigningKeyPair.objects.count()) == (1, 1)


def test_engines_that_send_the_first_calls_at_once_sign_with_one_secret(
    channel: Channel, receiver: Receiver
) -> None:
    # Two receivers, so that two engines can hold a lane of this channel each.
    with Receiver() as other:
        person = make_person(channel.workspace)
        for hook in (receiver, other):
            set_webhook(channel, webhook=Webhook(url=hook.url))
            decide(channel, person)
        at_once([deliver_due] * 4)
        heard = receiver.received + other.received
    assert len(heard) == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
    assert (SigningSecret.objects.count(), SigningKeyPair.objects.count()) == (1, 1)


def test_rotations_at_once_leave_one_live_secret_and_three_old_ones(channel: Channel) -> None:
    scope = str(channel.pk)
    ensure_secret(workspace_id=channel.workspace_id, scope=scope)
    ensure_key_pair(channel.workspace_id)
    hour, now = timedelta(hours=1), timezone.now()

    def rotate() -> str:
        try:
            rotate_secret(workspace_id=channel.workspace_id, scope=scope, overlap=hour, now=now)
            rotate_key_pair(workspace_id=channel.workspace_id, overlap=hour, now=now)
        except RotationRefusedError:
            return "refused"
        return "rotated"

    outcomes = at_once([rotate] * MANY)
    assert outcomes.count("rotated") == MOST_OLD_ONES
    for rows in (SigningSecret.objects.all(), SigningKeyPair.objects.all()):
        assert rows.filter(expires_at=None).count() == 1
        assert rows.exclude(expires_at=None).count() == MOST_OLD_ONES
