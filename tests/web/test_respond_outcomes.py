"""What follows an answer that was sent, and one that came too late."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from inbox.models import Channel
from reviews.models import Closer, ReviewRequest, Status
from reviews.services import Answer, answer_review
from tests.factories import make_person, make_review
from tests.web.card import answer, open_form, post
from tests.web.conftest import signed_in


def answer_as(person: User, review: ReviewRequest, option: str = "reject") -> None:
    response = {"selectedOption": option}
    answer_review(review, answer=Answer(response=response, by=person, via=Closer.PAGE))


def test_answer_leads_to_the_next_review_with_a_toast(browser: Client, channel: Channel) -> None:
    older = make_review(channel=channel, text="Older")
    newer = make_review(channel=channel, text="Newer")
    done = answer(browser, newer, option="approve")
    assert done.status_code == 303
    assert done["Location"] == f"/inbox/{older.pk}/"
    assert b"Approve: sent. 1 left." in browser.get(done["Location"]).content


def test_last_answer_leads_to_the_list(browser: Client, channel: Channel, person: User) -> None:
    review = make_review(channel=channel)
    done = answer(browser, review, option="approve")
    assert done["Location"] == "/inbox/"
    assert b"Nothing is left" in browser.get("/inbox/").content
    review.refresh_from_db()
    assert (review.decided_by, review.decided_via) == (person, Closer.PAGE)


def test_same_form_again_is_the_same_success(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel)
    form = open_form(browser, review) | {"option": "approve"}
    assert post(browser, review, form).status_code == 303
    assert post(browser, review, form).status_code == 303
    assert ReviewRequest.objects.get(pk=review.pk).response == {"selectedOption": "approve"}


def test_somebody_faster_is_named_and_typed_text_kept(browser: Client, channel: Channel) -> None:
    review = make_review("approval", {"allowComment": True}, channel=channel)
    form = open_form(browser, review) | {"option": "approve", "f.comment": "My long comment"}
    answer_as(make_person(channel.workspace, display_name="Ines Moreau"), review)
    page = post(browser, review, form)
    assert page.status_code == 409
    text = page.content.decode()
    assert "Ines Moreau answered this at" in text
    assert "My long comment" in text
    assert ReviewRequest.objects.get(pk=review.pk).response == {"selectedOption": "reject"}


def test_late_answer_is_refused_and_kept_readable(browser: Client, channel: Channel) -> None:
    review = make_review("text-input", {}, channel=channel)
    form = open_form(browser, review) | {"f.text": "A careful reply"}
    past = timezone.now() - timedelta(seconds=1)
    ReviewRequest.objects.filter(pk=review.pk).update(expires_at=past)
    page = post(browser, review, form)
    assert page.status_code == 410
    assert b"Expired without an answer" in page.content
    assert b"A careful reply" in page.content


def test_late_answer_is_late_even_if_it_is_also_wrong(browser: Client, channel: Channel) -> None:
    review = make_review("freeform", {}, channel=channel)
    form = open_form(browser, review) | {"f.json": "{"}
    past = timezone.now() - timedelta(seconds=1)
    ReviewRequest.objects.filter(pk=review.pk).update(expires_at=past)
    assert post(browser, review, form).status_code == 410


def test_overdue_review_is_shown_as_expired(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel, expires_in=timedelta(minutes=-1))
    page = browser.get(f"/inbox/{review.pk}/")
    assert b"Expired without an answer" in page.content
    assert ReviewRequest.objects.get(pk=review.pk).status == Status.EXPIRED


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_bad_token_is_refused_as_changed(browser: Client, channel: Channel, token: str) -> None:
    review = make_review("approval", {"allowComment": True}, channel=channel)
    form = {"token": token, "option": "approve", "f.comment": "Kept"}
    page = post(browser, review, form)
    assert page.status_code == 409
    assert b"changed since you opened it" in page.content
    assert b"Kept</textarea>" in page.content
    assert ReviewRequest.objects.get(pk=review.pk).status == Status.PENDING


def test_somebody_elses_form_is_refused(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel)
    colleague = signed_in(make_person(channel.workspace))
    form = open_form(colleague, review) | {"option": "approve"}
    assert post(browser, review, form).status_code == 409


def test_form_of_another_review_is_refused(browser: Client, channel: Channel) -> None:
    review, other = make_review(channel=channel), make_review(channel=channel)
    form = open_form(browser, other) | {"option": "approve"}
    assert post(browser, review, form).status_code == 409


def test_changed_review_is_shown_again(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel)
    form = open_form(browser, review) | {"option": "approve"}
    ReviewRequest.objects.filter(pk=review.pk).update(revision=2)
    page = post(browser, review, form)
    assert page.status_code == 409
    again = answer(browser, review, option="approve")
    assert again.status_code == 303


def test_form_without_a_csrf_token_is_refused(channel: Channel, person: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    review = make_review(channel=channel)
    assert post(strict, review, {"option": "approve"}).status_code == 403
