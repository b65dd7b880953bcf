"""A message's deliveries with their attempts, and the button that sends again."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from delivery.engine import deliver_due
from delivery.models import Attempt, Delivery, Event, Lane, State
from delivery.outbox import Target, send_again
from delivery.recording import PROBABLY
from inbox.models import Channel, Message, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.factories import make_message, make_person, make_review
from tests.receiver import Receiver
from tests.web.test_query_counts import statements

SECRET = "a-very-secret-value"
CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre><svg/onload=alert(1)>",
    "{{ request.user }}{% debug %}",
    "<!--",
    "javascript:alert(1)",
    "\u202egnp.exe\u0007",
]


@pytest.fixture
def channel(channel: Channel, receiver: Receiver) -> Channel:
    hook = Webhook(
        url=f"{receiver.url}/hook?token={SECRET}",
        headers={"x-own": SECRET},
        username="joe",
        password=SECRET,
    )
    return set_webhook(channel, webhook=hook)


@pytest.fixture
def decided(channel: Channel, person: User) -> ReviewRequest:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    return answer_review(make_review(channel=channel, text="Deploy?"), answer=answer)


def send(receiver: Receiver, status: int, body: bytes = b"") -> None:
    receiver.answer = lambda _: (status, {}, body)
    deliver_due()


def shown(browser: Client, review: ReviewRequest | Message) -> str:
    page = browser.get(f"/inbox/{review.pk}/delivery/")
    assert page.status_code == 200
    return str(page.content.decode())


def press(browser: Client, review: ReviewRequest | Message) -> Any:
    return browser.post(f"/inbox/{review.pk}/delivery/try-now/")


def test_failure_is_shown_with_its_attempts(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500, b"the database is down")
    page = shown(browser, decided)
    for said in (
        "Waiting for the next try",
        "the receiver answered 500",
        "HTTP 500",
        "the database is down",
        Event.objects.get().id,
        f"{receiver.url}/hook?…",
        "Next try",
        "Given up at",
        "Try now",
    ):
        assert said in page


def test_secrets_of_the_request_are_nowhere(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    Delivery.objects.update(url=f"https://joe:{SECRET}@agent.example/hook?token={SECRET}")
    for path in (f"/inbox/{decided.pk}/delivery/", f"/channels/{decided.channel_id}/delivery/"):
        page = browser.get(path).content.decode()
        assert "https://agent.example/hook?…" in page
        assert SECRET not in page
        assert "am9lO" not in page, "the start of joe: in base64"


def test_errors_that_quote_the_address_keep_its_secrets(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    error = f"Max retries exceeded with url: /hook?token={SECRET} (Caused by a test)"
    Attempt.objects.update(error=error)
    Delivery.objects.update(last_error=error)
    where = (f"inbox/{decided.pk}", f"inbox/{decided.pk}/delivery")
    for path in (*where, f"channels/{decided.channel_id}/delivery"):
        page = browser.get(f"/{path}/").content.decode()
        assert "with url: /hook?… (Caused by a test)" in page
        assert SECRET not in page


@pytest.mark.parametrize("evil", CORPUS)
def test_what_the_receiver_answers_is_only_text(
    browser: Client, decided: ReviewRequest, receiver: Receiver, evil: str
) -> None:
    send(receiver, 500, evil.encode())
    Delivery.objects.update(url=f"https://agent.example/{evil}", last_error=evil)
    own = f"/inbox/{decided.pk}/"
    for path in (own, f"{own}delivery/", f"/channels/{decided.channel_id}/delivery/"):
        page = browser.get(path).content.decode()
        for markup in ("<script>", "<img src=x", "<svg/", "\u202e", "<!--", "\x07"):
            assert markup not in page


def test_attempt_without_an_end_says_so(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    Attempt.objects.update(ended_at=None, http_status=None)
    assert "Outcome unknown" in shown(browser, decided)


def test_probable_delivery_says_why(browser: Client, decided: ReviewRequest) -> None:
    Delivery.objects.update(state=State.DELIVERED, last_status=404, last_error=PROBABLY)
    page = shown(browser, decided)
    assert PROBABLY in page
    assert "has not received" not in page


def test_what_is_on_its_way_cannot_be_sent_again(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    Attempt.objects.update(ended_at=None, http_status=None)
    Delivery.objects.update(state=State.SENDING)
    page = shown(browser, decided)
    assert "On its way" in page
    assert "Try now" not in page


def test_try_now_sends_the_same_event(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    answer = press(browser, decided)
    assert (answer.status_code, answer["Location"]) == (303, f"/inbox/{decided.pk}/delivery/")
    assert "The decision is being sent again." in shown(browser, decided)
    send(receiver, 200)
    first, second = receiver.received
    assert (first.event_id, first.body) == (second.event_id, second.body)
    page = shown(browser, decided)
    assert "Delivered" in page
    assert "Try now" not in page
    assert "Send again" in page


def test_each_delivery_of_the_event_is_listed(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 410)
    press(browser, decided)
    send(receiver, 200)
    page = shown(browser, decided)
    assert page.count("card flat") == 2
    assert page.index("Delivered") < page.index("Receiver is gone")


def test_erased_event_cannot_be_sent_again(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    Delivery.objects.update(state=State.EXHAUSTED)
    Event.objects.update(body=None)
    page = shown(browser, decided)
    assert "no longer kept" in page
    assert "Try now" not in page
    press(browser, decided)
    assert "could be sent again" in shown(browser, decided)


def test_held_back_delivery_names_the_reason(browser: Client, decided: ReviewRequest) -> None:
    Lane.objects.update(disabled_at=timezone.now())
    page = shown(browser, decided)
    assert "the receiver is switched off" in page
    assert "Held back</span>" in page
    assert "Next try" not in page


def test_open_breaker_moves_the_next_try(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    later = timezone.now() + timedelta(days=1)
    Lane.objects.update(open_until=later)
    assert later.isoformat() in shown(browser, decided)


def test_refused_address_is_explained_to_operators_only(
    browser: Client, channel: Channel, person: User
) -> None:
    set_webhook(channel, webhook=Webhook(url="http://10.0.0.1:8080/hook"))
    written = make_message(channel, sender=Sender.USER, author=person)
    deliver_due()
    path = f"/channels/{channel.pk}/delivery/"
    page = shown(browser, written) + browser.get(path).content.decode()
    assert "its operator can see why" in page
    assert "EGRESS_ALLOW" not in page
    User.objects.filter(pk=person.pk).update(is_staff=True)
    assert "EGRESS_ALLOW" in shown(browser, written)


def test_persons_message_is_linked_until_it_arrived(
    browser: Client, channel: Channel, person: User, receiver: Receiver
) -> None:
    written = make_message(channel, sender=Sender.USER, author=person)
    conversation, link = f"/channels/{channel.pk}/", f'href="/inbox/{written.pk}/delivery/"'
    page = browser.get(conversation).content.decode()
    assert link in page
    assert "Waiting to be sent" in page
    send(receiver, 410)
    page = browser.get(conversation).content.decode()
    assert link in page
    assert "Receiver is gone" in page
    assert "HTTP 410" in shown(browser, written)
    press(browser, written)
    send(receiver, 200)
    page = browser.get(conversation).content.decode()
    assert link not in page
    assert "Delivered" in page


def test_card_links_to_the_attempts(
    browser: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    link = f'href="/inbox/{decided.pk}/delivery/"'
    for status in (500, 200):
        assert link in browser.get(f"/inbox/{decided.pk}/").content.decode()
        send(receiver, status)
        Delivery.objects.update(next_attempt_at=timezone.now())


def test_message_that_told_nobody_has_no_page(browser: Client, channel: Channel) -> None:
    set_webhook(channel, webhook=None)
    for message in (make_message(channel), make_review(channel=channel).message):
        assert browser.get(f"/inbox/{message.pk}/delivery/").status_code == 404
        assert press(browser, message).status_code == 404


def test_viewer_looks_and_does_not_send(
    viewer: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    assert "Try now" not in shown(viewer, decided)
    assert "Send again" not in viewer.get(f"/inbox/{decided.pk}/").content.decode()
    assert press(viewer, decided).status_code == 403
    assert deliver_due() == 0


def test_outsider_finds_nothing(
    outsider: Client, decided: ReviewRequest, receiver: Receiver
) -> None:
    send(receiver, 500)
    assert outsider.get(f"/inbox/{decided.pk}/delivery/").status_code == 404
    assert press(outsider, decided).status_code == 404
    assert deliver_due() == 0


def test_signed_out_person_is_led_to_the_door(client: Client, decided: ReviewRequest) -> None:
    for answer in (client.get(f"/inbox/{decided.pk}/delivery/"), press(client, decided)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/")


def test_sending_needs_a_token_against_forgery(person: User, decided: ReviewRequest) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    assert press(strict, decided).status_code == 403


def test_page_costs_the_same_for_any_number_of_deliveries(
    browser: Client, decided: ReviewRequest, receiver: Receiver, person: User
) -> None:
    send(receiver, 410)
    path = f"/inbox/{decided.pk}/delivery/"
    few = statements(browser, path)
    for number in range(25):
        target = Target(url=f"{receiver.url}/{number}")
        send_again(Event.objects.get(), target=target, now=timezone.now())
        send(receiver, 410)
    assert statements(browser, path) == few
    assert few <= 14
    assert shown(browser, decided).count("card flat") == 20


def test_conversation_costs_the_same_with_failures(
    browser: Client, channel: Channel, receiver: Receiver
) -> None:
    author = make_person(channel.workspace)
    make_message(channel, sender=Sender.USER, author=author)
    few = statements(browser, f"/channels/{channel.pk}/")
    for _ in range(20):
        make_message(channel, sender=Sender.USER, author=author)
    assert statements(browser, f"/channels/{channel.pk}/") == few
    assert few <= 15
