"""Who gets in: members of the workspace, and to answer only those whose role allows it."""

import pytest
from django.test import Client

from inbox.models import Channel, Message
from reviews.models import ReviewRequest, Status
from tests.factories import make_channel, make_message, make_review

GETS = [
    "/inbox/{review}/",
    "/inbox/{review}/row/",
    "/channels/{channel}/",
    "/inbox/?channel={channel}",
]
POSTS = ["/inbox/{review}/respond/", "/channels/{channel}/messages/"]


@pytest.fixture
def review(channel: Channel) -> ReviewRequest:
    return make_review(channel=channel, text="Secret plan")


def filled(path: str, review: ReviewRequest) -> str:
    return path.format(review=review.pk, channel=review.channel_id)


@pytest.mark.parametrize("path", GETS)
def test_outsider_finds_nothing(outsider: Client, review: ReviewRequest, path: str) -> None:
    assert outsider.get(filled(path, review)).status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_outsider_changes_nothing(outsider: Client, review: ReviewRequest, path: str) -> None:
    fields = {"option": "approve", "text": "Hello"}
    assert outsider.post(filled(path, review), fields).status_code == 404
    assert Message.objects.count() == 1
    assert ReviewRequest.objects.get().status == Status.PENDING


def test_outsider_does_not_see_foreign_rows(outsider: Client, review: ReviewRequest) -> None:
    for path in ("/inbox/", "/inbox/?status=all", "/inbox/?q=Secret", "/channels/"):
        page = outsider.get(path)
        assert b"Secret plan" not in page.content
        assert b"Atlas" not in page.content


@pytest.mark.parametrize("path", [*GETS, "/inbox/", "/channels/"])
def test_signed_out_person_is_led_to_the_door(
    client: Client, review: ReviewRequest, path: str
) -> None:
    answer = client.get(filled(path, review))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("path", POSTS)
def test_signed_out_person_cannot_post(client: Client, review: ReviewRequest, path: str) -> None:
    assert client.post(filled(path, review)).status_code == 302
    assert ReviewRequest.objects.get().status == Status.PENDING


def test_viewer_looks_without_buttons(viewer: Client, review: ReviewRequest) -> None:
    page = viewer.get(f"/inbox/{review.pk}/").content.decode()
    assert "Secret plan" in page
    assert 'name="option"' not in page
    assert "<textarea" not in page
    assert "<textarea" not in viewer.get(f"/channels/{review.channel_id}/").content.decode()


@pytest.mark.parametrize("path", POSTS)
def test_viewer_cannot_post(viewer: Client, review: ReviewRequest, path: str) -> None:
    fields = {"option": "approve", "text": "Hello"}
    page = viewer.post(filled(path, review), fields)
    assert page.status_code == 403
    assert b"look, not to answer" in page.content
    assert Message.objects.count() == 1


def test_message_without_a_review_has_no_review_page(browser: Client, channel: Channel) -> None:
    assert browser.get(f"/inbox/{make_message(channel).pk}/").status_code == 404


def test_unknown_address_has_a_way_back(browser: Client) -> None:
    page = browser.get("/nowhere/")
    assert page.status_code == 404
    assert b'href="/inbox/"' in page.content


def test_channels_of_another_workspace_are_not_pinned(browser: Client) -> None:
    make_channel(name="Foreign agent")
    assert b"Foreign agent" not in browser.get("/inbox/").content
