"""One answer to several reviews that ask the same."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from inbox.models import Channel
from reviews.models import ReviewRequest, Status
from reviews.services import expire_review
from tests.factories import make_channel, make_review
from tests.web.card import answer, hidden_fields

OPTIONS = [{"id": "a", "label": "First"}, {"id": "b", "label": "Second"}]


def picked(*reviews: ReviewRequest) -> dict[str, list[str]]:
    return {"review": [str(review.pk) for review in reviews]}


def open_page(browser: Client, *reviews: ReviewRequest) -> Any:
    return browser.get("/inbox/together/", picked(*reviews))


def send(browser: Client, reviews: list[ReviewRequest], page: Any, **fields: Any) -> Any:
    form = hidden_fields(page) | picked(*reviews) | fields
    return browser.post("/inbox/together/answer/", form)


def answers() -> list[Any]:
    return [review.response for review in ReviewRequest.objects.order_by("pk")]


@pytest.fixture
def three(channel: Channel) -> list[ReviewRequest]:
    return [
        make_review(
            "approval",
            {"title": f"Case {number}", "allowComment": True},
            channel=channel,
            text=f"Deploy {number}?",
        )
        for number in range(3)
    ]


def test_each_gets_the_answer_and_a_result(browser: Client, three: list[ReviewRequest]) -> None:
    page = open_page(browser, *three)
    for number in range(3):
        assert f"Deploy {number}?".encode() in page.content
    done = send(browser, three, page, option="approve", **{"f.comment": "All fine"})
    assert done.status_code == 200
    assert b"3 answers sent" in done.content
    assert answers() == [{"selectedOption": "approve", "comment": "All fine"}] * 3


def test_same_form_again_is_the_same_success(browser: Client, three: list[ReviewRequest]) -> None:
    page = open_page(browser, *three)
    for _ in range(2):
        assert b"3 answers sent" in send(browser, three, page, option="approve").content


def test_one_that_was_answered_meanwhile_stops_no_other(
    browser: Client, three: list[ReviewRequest], person: User
) -> None:
    page = open_page(browser, *three)
    answer(browser, three[0], option="reject")
    ReviewRequest.objects.filter(pk=three[1].pk).update(expires_at=three[1].created_at)
    assert expire_review(three[1].pk)
    done = send(browser, three, page, option="approve").content.decode()
    assert "1 answer sent" in done
    assert f"{person.name} was faster" in done
    assert "Expired before you answered" in done
    assert [each and each["selectedOption"] for each in answers()] == ["reject", None, "approve"]


def test_selections_share_their_options(browser: Client, channel: Channel) -> None:
    two = [make_review("selection", {"items": OPTIONS}, channel=channel) for _ in range(2)]
    done = send(browser, two, open_page(browser, *two), **{"f.selectedIds": "b"})
    assert b"2 answers sent" in done.content
    assert answers() == [{"selectedIds": ["b"]}] * 2


def test_answer_that_fits_nobody_is_asked_again(browser: Client, channel: Channel) -> None:
    two = [make_review("selection", {"items": OPTIONS}, channel=channel) for _ in range(2)]
    done = send(browser, two, open_page(browser, *two))
    assert done.status_code == 422
    assert b"This cannot be sent yet" in done.content
    assert answers() == [None, None]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("approval", {"options": ["ship", "hold"]}),
        ("selection", {"items": OPTIONS}),
        ("approval", {}),
        ("text-input", {}),
    ],
)
def test_different_questions_are_refused(
    browser: Client, three: list[ReviewRequest], channel: Channel, kind: str, payload: Any
) -> None:
    other = make_review(kind, payload, channel=channel)
    assert open_page(browser, three[0], other).status_code == 422
    page = open_page(browser, *three)
    assert send(browser, [*three, other], page, option="approve").status_code == 422
    assert answers() == [None] * 4


@pytest.mark.parametrize("count", [0, 51])
def test_none_and_more_than_fifty_are_refused(
    browser: Client, channel: Channel, count: int
) -> None:
    many = [make_review(channel=channel) for _ in range(count)]
    page = open_page(browser, *many)
    assert page.status_code == 422
    assert b"at least one" in page.content or b"at most 50" in page.content


@pytest.mark.parametrize("fields", [{"review": ["nonsense"]}, {"review": ["\0"]}, {}])
def test_nonsense_is_refused(browser: Client, fields: dict[str, list[str]]) -> None:
    assert browser.get("/inbox/together/", fields).status_code == 422
    assert browser.post("/inbox/together/answer/", fields).status_code == 422


def test_outsider_reaches_none_of_them(outsider: Client, three: list[ReviewRequest]) -> None:
    own = make_review(channel=make_channel(Workspace.objects.latest("created_at")))
    for chosen in (three, [own, *three]):
        assert b"Deploy" not in open_page(outsider, *chosen).content
        assert outsider.post("/inbox/together/answer/", picked(*chosen)).status_code == 422
    assert not ReviewRequest.objects.exclude(status=Status.PENDING).exists()


def test_viewer_may_not(viewer: Client, three: list[ReviewRequest]) -> None:
    assert open_page(viewer, *three).status_code == 403
    assert viewer.post("/inbox/together/answer/", picked(*three)).status_code == 403


def test_list_offers_boxes_only_when_asked(browser: Client, three: list[ReviewRequest]) -> None:
    assert b'form="pick"' not in browser.get("/inbox/").content
    assert browser.get("/inbox/?select=1").content.count(b'form="pick"') == 3
