"""What a closed card says about the answer's way to the agent."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from delivery.models import Delivery, Lane, State
from inbox.models import Channel
from reviews.models import ReviewRequest
from tests.factories import make_channel, make_review
from tests.web.card import answer


@pytest.fixture
def answered(browser: Client, channel: Channel) -> ReviewRequest:
    told = make_channel(channel.workspace, webhook_url="https://agent.example/hook")
    review = make_review(channel=told)
    assert answer(browser, review, option="approve").status_code == 303
    return review


def line(browser: Client, review: ReviewRequest) -> str:
    return browser.get(f"/inbox/{review.pk}/").content.decode()


def test_answer_waits_first(browser: Client, answered: ReviewRequest) -> None:
    assert "Waiting to be sent" in line(browser, answered)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.SENDING, "Sending to agent"),
        (State.DELIVERED, "Delivered to agent"),
        (State.EXHAUSTED, "Failed: the agent has not received this"),
        (State.GONE, "HTTP 410"),
    ],
)
def test_state_is_told(browser: Client, answered: ReviewRequest, state: State, said: str) -> None:
    Delivery.objects.update(state=state, attempts=1, last_status=410)
    assert said in line(browser, answered)


def test_failed_attempt_names_reason_and_next_try(browser: Client, answered: ReviewRequest) -> None:
    later = timezone.now() + timedelta(minutes=5)
    Delivery.objects.update(attempts=1, last_error="timed out", next_attempt_at=later)
    page = line(browser, answered)
    assert "timed out" in page
    assert "Next try at" in page


def test_next_try_waits_for_the_breaker(browser: Client, answered: ReviewRequest) -> None:
    later = timezone.now() + timedelta(days=1)
    Delivery.objects.update(attempts=1, next_attempt_at=timezone.now())
    Lane.objects.update(open_until=later)
    assert later.isoformat() in line(browser, answered)


def test_receiver_that_is_switched_off_is_the_reason(
    browser: Client, answered: ReviewRequest
) -> None:
    Lane.objects.update(disabled_at=timezone.now())
    page = line(browser, answered)
    assert "Held back: the receiver is switched off" in page
    assert "Next try at" not in page
    assert "Send again" in page


def test_agent_that_asks_by_itself_has_no_line(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel)
    answer(browser, review, option="approve")
    assert "agent has not received" not in line(browser, review)
    assert "Waiting to be sent" not in line(browser, review)


def test_error_page_needs_nothing() -> None:
    assert "Something broke" in render_to_string("500.html")
