"""From a decision to the receiver, with a real receiver and the real engine."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook as ReferenceVerifier

from accounts.models import User, Workspace
from delivery.engine import deliver_due
from delivery.models import Attempt, Delivery, Event, GoneUrl, Lane, SigningSecret, State
from delivery.outbox import Happening, Target, enqueue
from delivery.retention import clean_up
from inbox.models import Channel, DeliveryStatus, Message, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review, expire_due
from tests.factories import make_channel, make_message, make_review
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def hooked(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


def approve(review: ReviewRequest, person: User, **more: Any) -> ReviewRequest:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE, **more)
    return answer_review(review, answer=answer)


def due_again() -> None:
    """Let the time of the next attempt come."""
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_answer_arrives_once_signed_and_exact(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    review = approve(make_review(channel=hooked), person)
    deliver_due()
    (request,) = receiver.received
    assert request.json == {
        "event": "review:responded",
        "channelId": str(hooked.pk),
        "message_id": str(review.pk),
        "review_type": "approval",
        "response": {"selectedOption": "approve"},
        "responded_at": request.json["responded_at"],
    }
    assert request.headers["content-type"] == "application/json"
    secret = SigningSecret.objects.get().secret
    ReferenceVerifier(secret).verify(request.body, request.headers)
    assert deliver_due() == 0
    assert Message.objects.get(pk=review.pk).delivery_status == DeliveryStatus.DELIVERED


def test_feedback_and_files_are_in_the_body_only_if_given(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    approve(make_review(channel=hooked), person, feedback="why", modified_file_ids={"a": "b"})
    deliver_due()
    body = receiver.received[0].json
    assert (body["feedback"], body["modifiedFileIds"]) == ("why", {"a": "b"})


def test_expiry_arrives_without_touching_the_delivery_status(
    hooked: Channel, receiver: Receiver
) -> None:
    review = make_review(channel=hooked, expires_in=timedelta(seconds=-1))
    assert expire_due(limit=10) == 1
    deliver_due()
    body = receiver.received[0].json
    assert body.keys() == {"event", "channelId", "message_id", "review_type", "expired_at"}
    assert body["event"] == "review:expired"
    assert Message.objects.get(pk=review.pk).delivery_status == DeliveryStatus.SENT


def test_message_of_a_person_arrives_and_an_agents_own_does_not(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    make_message(hooked, text="from the agent")
    make_message(hooked, sender=Sender.USER, author=person, text="ship it")
    deliver_due()
    (request,) = receiver.received
    assert request.json["event"] == "message:created"
    assert request.json["message"]["text"] == "ship it"
    assert request.json["message"]["senderId"] == str(person.pk)


def test_failed_try_is_repeated_with_the_same_id_and_bytes(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    answers = iter([500, 503, 200])
    receiver.answer = lambda _: (next(answers), {}, b"")
    approve(make_review(channel=hooked), person)
    for _ in range(3):
        due_again()
        deliver_due()
    assert len(receiver.received) == 3
    assert len({request.event_id for request in receiver.received}) == 1
    assert len({hashlib.sha256(request.body).digest() for request in receiver.received}) == 1
    secret = SigningSecret.objects.get().secret
    for request in receiver.received:
        ReferenceVerifier(secret).verify(request.body, request.headers)
    assert [a.http_status for a in Attempt.objects.order_by("number")] == [500, 503, 200]


def test_failed_try_waits_for_its_time(hooked: Channel, person: User, receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {}, b"no")
    approve(make_review(channel=hooked), person)
    deliver_due()
    assert deliver_due() == 0
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_status) == (State.PENDING, 500)
    assert delivery.next_attempt_at > timezone.now() + timedelta(seconds=3)


def test_schedule_that_ends_is_shown_as_failed(
    hooked: Channel, person: User, receiver: Receiver, settings: Settings
) -> None:
    settings.DELIVERY_SCHEDULE = [1.0]
    receiver.answer = lambda _: (500, {}, b"no")
    review = approve(make_review(channel=hooked), person)
    for _ in range(3):
        due_again()
        deliver_due()
    assert len(receiver.received) == 2
    assert Delivery.objects.get().state == State.EXHAUSTED
    assert Message.objects.get(pk=review.pk).delivery_status == DeliveryStatus.FAILED


def test_gone_address_is_left_alone(hooked: Channel, person: User, receiver: Receiver) -> None:
    receiver.answer = lambda _: (410, {}, b"")
    for _ in range(2):
        approve(make_review(channel=hooked), person)
    deliver_due()
    assert len(receiver.received) == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.GONE}
    assert GoneUrl.objects.get().url == hooked.webhook_url


def test_address_that_is_not_allowed_is_blocked_and_not_called(
    hooked: Channel, person: User, receiver: Receiver, settings: Settings
) -> None:
    approve(make_review(channel=hooked), person)
    settings.EGRESS_ALLOW = ""
    deliver_due()
    delivery = Delivery.objects.get()
    assert delivery.state == State.BLOCKED
    assert "EGRESS_ALLOW" in delivery.last_error
    assert receiver.received == []


def test_too_many_attempts_end_a_delivery_that_kills_its_sender(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    approve(make_review(channel=hooked), person)
    Delivery.objects.update(state=State.SENDING, attempts=10)
    deliver_due()
    assert Delivery.objects.get().state == State.EXHAUSTED
    assert receiver.received == []


def test_old_event_is_given_up(hooked: Channel, person: User, receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    approve(make_review(channel=hooked), person)
    Delivery.objects.update(give_up_at=F("created_at"))
    assert deliver_due() == 0
    clean_up()
    assert Delivery.objects.get().state == State.EXHAUSTED


def test_event_that_would_be_too_old_at_its_next_try_is_given_up_now(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    approve(make_review(channel=hooked), person)
    Delivery.objects.update(give_up_at=timezone.now() + timedelta(seconds=1))
    deliver_due()
    assert len(receiver.received) == 1
    assert Delivery.objects.get().state == State.EXHAUSTED


class TestTarget:
    """Which address learns of an answer (Placet contract 5.1), and with whose credentials."""

    def test_message_address_wins_and_gets_no_credentials_of_another_host(
        self, channel: Channel, person: User, receiver: Receiver
    ) -> None:
        elsewhere = Webhook(
            url="http://127.0.0.1:9/", headers={"x-secret": "s"}, username="u", password="p"
        )
        set_webhook(channel, webhook=elsewhere)
        approve(make_review(channel=channel, webhook_url=f"{receiver.url}/mine"), person)
        deliver_due()
        (request,) = receiver.received
        assert request.path == "/mine"
        assert not {"x-secret", "authorization"} & request.headers.keys()

    def test_channel_address_gets_its_login_and_headers(
        self, channel: Channel, person: User, receiver: Receiver
    ) -> None:
        own = Webhook(
            url=f"{receiver.url}/hook", headers={"x-own": "1"}, username="u", password="secret"
        )
        set_webhook(channel, webhook=own)
        approve(make_review(channel=channel), person)
        deliver_due()
        (request,) = receiver.received
        assert request.headers["authorization"] == "Basic dTpzZWNyZXQ="
        assert request.headers["x-own"] == "1"

    def test_callback_is_used_last_with_its_own_method_and_headers(
        self, channel: Channel, person: User, receiver: Receiver
    ) -> None:
        from reviews.services import Callback

        callback = Callback(
            url=f"{receiver.url}/callback", method="PUT", headers={"authorization": "Bearer abc"}
        )
        approve(make_review(channel=channel, spec={"callback": callback}), person)
        deliver_due()
        (request,) = receiver.received
        assert (request.method, request.path) == ("PUT", "/callback")
        assert request.headers["authorization"] == "Bearer abc"

    def test_without_any_address_the_event_is_stored_all_the_same(
        self, channel: Channel, person: User
    ) -> None:
        approve(make_review(channel=channel), person)
        assert Event.objects.get().type == "review:responded"
        assert not Delivery.objects.exists()


def test_body_and_headers_are_not_readable_in_the_database(
    channel: Channel, person: User, receiver: Receiver
) -> None:
    from django.db import connection

    set_webhook(channel, webhook=Webhook(url=receiver.url, headers={"x-token": "top-secret-value"}))
    approve(make_review(channel=channel, text="x"), person, feedback="y")
    with connection.cursor() as cursor:
        cursor.execute("SELECT body, headers_json FROM delivery_event, delivery_delivery")
        row = b"".join(bytes(value) for value in cursor.fetchone())
    assert b"selectedOption" not in row
    assert b"top-secret-value" not in row


def test_other_workspace_has_a_lane_of_its_own(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    other = set_webhook(make_channel(), webhook=Webhook(url=f"{receiver.url}/hook"))
    approve(make_review(channel=hooked), person)
    approve(make_review(channel=other), person)
    assert Lane.objects.count() == 2


def test_lanes_are_made_in_one_order_by_all_who_make_them(workspace: Workspace) -> None:
    """Two who insert the same rows in different orders wait for each other."""
    addresses = [f"http://127.0.0.1:{port}" for port in range(2000, 2040)]
    notices = [
        (Happening(workspace.pk, "t", "r", "scope", url, b"{}"), Target(url=url))
        for url in reversed(addresses)
    ]
    with CaptureQueriesContext(connection) as queries:
        enqueue(notices, now=timezone.now())
    (inserted,) = [q["sql"] for q in queries if 'INTO "delivery_lane"' in q["sql"]]
    places = [inserted.index(url) for url in addresses]
    assert places == sorted(places)
