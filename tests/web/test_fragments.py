"""What htmx gets: the part it asked for, and the page's title with it."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from inbox.models import Channel
from reviews.models import ReviewRead, ReviewRequest, Status
from reviews.services import expire_review
from tests.factories import make_file, make_review
from tests.web.card import open_form
from tests.web.test_query_counts import statements

MOST_STATEMENTS = 6
DETAIL, LIST, NEWS = "article#detail", "section#list", "div#new-bar"


def asking_for(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


@pytest.fixture
def review(channel: Channel) -> ReviewRequest:
    return make_review("approval", {"allowComment": True}, channel=channel, text="Deploy?")


def card_of(browser: Client, review: ReviewRequest, fields: dict[str, str]) -> Any:
    path = f"/inbox/{review.pk}/card/"
    return browser.post(path, fields, headers=asking_for("div#card-area"))


def test_detail_comes_alone_with_its_title(browser: Client, review: ReviewRequest) -> None:
    answer = browser.get(f"/inbox/{review.pk}/", headers=asking_for(DETAIL))
    text = answer.content.decode()
    assert text.startswith("<title>(1) Deploy?")
    assert 'id="detail"' in text
    assert "data-open" in text
    assert "<html" not in text
    assert 'id="list"' not in text
    assert {"HX-Request", "HX-Target"} <= set(answer["Vary"].split(", "))


def test_list_comes_alone(browser: Client, review: ReviewRequest) -> None:
    text = browser.get("/inbox/?q=Deploy", headers=asking_for(LIST)).content.decode()
    assert f'id="row-{review.pk}"' in text
    assert 'id="detail"' not in text


@pytest.mark.parametrize(
    "headers", [{}, asking_for("body"), asking_for(DETAIL) | {"HX-History-Restore-Request": "true"}]
)
def test_everything_else_gets_the_page(
    browser: Client, review: ReviewRequest, headers: dict[str, str]
) -> None:
    text = browser.get(f"/inbox/{review.pk}/", headers=headers).content.decode()
    assert text.startswith("<!doctype html>")
    assert 'id="list"' in text


def test_news_counts_what_came_since(
    browser: Client, channel: Channel, review: ReviewRequest
) -> None:
    path = f"/inbox/?since={review.pk}"
    assert b"new review" not in browser.get(path, headers=asking_for(NEWS)).content
    make_review(channel=channel)
    make_review(channel=channel)
    assert b"2 new reviews" in browser.get(path, headers=asking_for(NEWS)).content
    assert b"2 new" not in browser.get(f"{path}&q=Nothing", headers=asking_for(NEWS)).content


def test_answer_leads_to_the_next_one_of_the_same_list(
    browser: Client, channel: Channel, review: ReviewRequest
) -> None:
    other = make_review(channel=channel, text="Roll back?")
    newest = make_review(channel=channel, text="Deploy again?")
    fields = open_form(browser, newest) | {"option": "approve"}
    sent = browser.post(f"/inbox/{newest.pk}/respond/?q=Deploy", fields)
    assert (sent.status_code, sent["Location"]) == (303, f"/inbox/{review.pk}/?q=Deploy")
    assert other.status == Status.PENDING


def test_refused_answer_changes_only_the_card(browser: Client, channel: Channel) -> None:
    form = {"fields": [{"name": "a", "type": "text", "label": "Amount", "required": True}]}
    review = make_review("form", form, channel=channel)
    path = f"/inbox/{review.pk}/respond/"
    answer = browser.post(path, open_form(browser, review), headers=asking_for(DETAIL))
    assert answer.status_code == 422
    assert (answer["HX-Retarget"], answer["HX-Push-Url"]) == ("#card-area", "false")
    assert answer.content.decode().lstrip().startswith('<div id="card-area"')


def test_card_that_is_still_open_keeps_what_was_typed(
    browser: Client, review: ReviewRequest
) -> None:
    fields = open_form(browser, review) | {"f.comment": "Half a thought"}
    text = card_of(browser, review, fields).content.decode()
    assert "Half a thought" in text
    assert fields["token"] in text


def test_card_that_was_closed_elsewhere_keeps_what_was_typed(
    browser: Client, review: ReviewRequest
) -> None:
    fields = open_form(browser, review) | {"f.comment": "Half a thought"}
    ReviewRequest.objects.update(expires_at=review.created_at)
    assert expire_review(review.pk)
    text = card_of(browser, review, fields).content.decode()
    assert "Expired without an answer" in text
    assert "Half a thought" in text


def test_row_shows_how_it_stands(browser: Client, review: ReviewRequest) -> None:
    text = browser.get(f"/inbox/{review.pk}/row/").content.decode()
    assert text.startswith(f'<li id="row-{review.pk}"')
    assert "unread" in text


def test_counts_are_of_the_own_workspace(
    browser: Client, outsider: Client, review: ReviewRequest
) -> None:
    assert b'"count hot">1<' in browser.get("/ui/counts/").content
    assert b'"count hot"' not in outsider.get("/ui/counts/").content


@pytest.mark.parametrize("part", ["card", "row"])
def test_outsider_gets_no_fragment(outsider: Client, review: ReviewRequest, part: str) -> None:
    path = f"/inbox/{review.pk}/{part}/"
    call = outsider.post if part == "card" else outsider.get
    assert call(path, headers=asking_for("div#card-area")).status_code == 404


def test_signed_out_fragment_says_so_and_swaps_nothing(
    client: Client, review: ReviewRequest
) -> None:
    answer = client.get(f"/inbox/{review.pk}/", headers=asking_for(DETAIL))
    assert (answer.status_code, answer["HX-Trigger"]) == (401, "signed-out")
    assert answer.content == b""


def test_fragments_are_cheap(
    browser: Client, workspace: Workspace, channel: Channel, review: ReviewRequest
) -> None:
    assert statements(browser, f"/inbox/{review.pk}/", asking_for(DETAIL)) <= MOST_STATEMENTS
    assert statements(browser, "/inbox/", asking_for(LIST)) <= MOST_STATEMENTS
    assert statements(browser, f"/inbox/?since={review.pk}", asking_for(NEWS)) <= MOST_STATEMENTS
    assert statements(browser, "/ui/counts/") <= MOST_STATEMENTS


def test_opening_marks_as_read_and_a_button_takes_it_back(
    browser: Client, review: ReviewRequest, person: User
) -> None:
    path, row = f"/inbox/{review.pk}/", f"/inbox/{review.pk}/row/"
    browser.get(path, headers=asking_for(DETAIL))
    assert b"Unread:" in browser.get(row).content
    assert browser.post(f"{path}read/", headers=asking_for("div")).status_code == 204
    assert b"Unread:" not in browser.get(row).content
    back = browser.post(f"{path}read/?q=Deploy", {"unread": "yes"})
    assert (back.status_code, back["Location"]) == (303, "/inbox/?q=Deploy")
    assert b"Unread:" in browser.get("/inbox/").content
    browser.get(path)
    assert ReviewRead.objects.filter(user=person).count() == 1


def test_outsider_marks_nothing(outsider: Client, review: ReviewRequest) -> None:
    assert outsider.post(f"/inbox/{review.pk}/read/").status_code == 404
    assert not ReviewRead.objects.exists()


def test_file_of_a_review_is_shown_beside_it(
    browser: Client, outsider: Client, channel: Channel, review: ReviewRequest
) -> None:
    make_file(channel, message=review.message, filename="plan.txt", mime_type="text/plain")
    foreign = make_file(channel, filename="other.txt", mime_type="text/plain")
    (file,) = review.message.attachments.all()
    path, headers = f"/inbox/{review.pk}/?file={file.pk}", asking_for("div#file-viewer")
    assert b'hx-trigger="load"' in browser.get(f"/inbox/{review.pk}/").content
    assert browser.get(path).content.count(b'id="file-viewer"') == 1
    part = browser.get(path, headers=headers).content.decode()
    assert part.startswith('<section class="file" id="file-viewer"')
    assert "plan.txt" in part
    elsewhere = f"/inbox/{review.pk}/?file={foreign.pk}"
    assert browser.get(elsewhere, headers=headers).status_code == 404
    assert b"other.txt" not in browser.get(elsewhere).content
    assert outsider.get(path, headers=headers).status_code == 404
