"""The list of reviews."""

from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from attachments.models import Attachment, State
from inbox.models import Channel
from reviews.models import ReviewRequest
from tests.factories import make_channel, make_message, make_review
from tests.web.card import answer


def titles(page: Any) -> list[str]:
    return [row.title for group in page.context["groups"] for row in group.rows]


def labels(page: Any) -> list[str]:
    return [group.label for group in page.context["groups"]]


def test_first_run_shows_how_to_post(browser: Client, channel: Channel) -> None:
    page = browser.get("/inbox/")
    assert b"curl http" in page.content
    assert str(channel.pk).encode() in page.content
    assert b"YOUR_API_KEY" in page.content


def test_empty_inbox_says_so(browser: Client, channel: Channel) -> None:
    make_message(channel)
    assert b"All caught up" in browser.get("/inbox/").content


def test_no_match_offers_to_clear_the_filter(browser: Client, channel: Channel) -> None:
    make_review(channel=channel, text="Deploy?")
    page = browser.get("/inbox/?q=elephant")
    assert b"Nothing matches" in page.content
    assert b"Clear filter" in page.content


def test_reviews_are_grouped_by_urgency(browser: Client, channel: Channel, now: datetime) -> None:
    long = timedelta(days=20)
    make_review(channel=channel, expires_in=timedelta(minutes=30), text="Urgent")
    make_review(channel=channel, expires_in=long, text="New")
    make_review(channel=channel, now=now - timedelta(days=1), expires_in=long, text="Day old")
    make_review(channel=channel, now=now - timedelta(days=3), expires_in=long, text="Old")
    page = browser.get("/inbox/")
    assert labels(page) == ["Expiring within the hour", "Today", "Yesterday", "Earlier"]
    assert titles(page) == ["Urgent", "New", "Day old", "Old"]


def test_title_is_heading_sentence_payload_or_kind(browser: Client, channel: Channel) -> None:
    make_review(channel=channel, text=None)
    make_review("form", {"title": "From the payload"}, channel=channel, text="")
    make_review(channel=channel, text="I **ask** you. Then more.")
    make_review(channel=channel, text="Preface\n\n## A [heading](https://example.org)\nbody")
    assert titles(browser.get("/inbox/")) == [
        "A heading",
        "I ask you.",
        "From the payload",
        "Approval",
    ]


def test_status_filter(browser: Client, channel: Channel) -> None:
    done = make_review(channel=channel, text="Done one")
    answer(browser, done, option="approve")
    make_review(channel=channel, expires_in=timedelta(minutes=-5), text="Late one")
    browser.get(f"/inbox/{ReviewRequest.objects.get(message__text='Late one').pk}/")
    make_review(channel=channel, text="Open one")
    assert titles(browser.get("/inbox/")) == ["Open one"]
    assert titles(browser.get("/inbox/?status=done")) == ["Done one"]
    assert titles(browser.get("/inbox/?status=expired")) == ["Late one"]
    assert len(titles(browser.get("/inbox/?status=all"))) == 3
    assert titles(browser.get("/inbox/?status=nonsense")) == ["Open one"]


def test_channel_filter_and_search(browser: Client, channel: Channel) -> None:
    other = make_channel(channel.workspace, name="Ledger")
    make_review(channel=channel, text="Deploy the gateway")
    make_review("approval", {"title": "Pay the invoice"}, channel=other, text="Money")
    assert titles(browser.get(f"/inbox/?channel={other.pk}")) == ["Money"]
    assert titles(browser.get("/inbox/?q=GATEWAY")) == ["Deploy the gateway"]
    assert titles(browser.get("/inbox/?q=invoice")) == ["Money"]
    assert titles(browser.get("/inbox/?q=ledger")) == ["Money"]
    assert browser.get("/inbox/?q=%00x").status_code == 200


def test_pages_by_cursor(browser: Client, channel: Channel, now: datetime) -> None:
    for number in range(51):
        moment = now - timedelta(minutes=60 - number)
        make_review(channel=channel, now=moment, expires_in=timedelta(days=2), text=f"R{number}")
    first = browser.get("/inbox/")
    assert len(titles(first)) == 50
    second = browser.get("/inbox/" + first.context["next_page"])
    assert titles(second) == ["R0"]
    assert second.context["next_page"] == ""
    assert browser.get("/inbox/?cursor=nonsense").status_code == 404


def test_chips_show_kind_revision_expiry_and_files(browser: Client, channel: Channel) -> None:
    first = make_review(channel=channel, text="Draft")
    answer(browser, first, option="approve")
    second = make_review(
        channel=channel,
        expires_in=timedelta(minutes=30),
        text="Draft again",
        iteration_of=first.message,
    )
    Attachment.objects.create(
        workspace=channel.workspace,
        channel=channel,
        message=second.message,
        state=State.READY,
        filename="plan\u202emd.exe",
        storage_key="k",
    )
    page = browser.get("/inbox/?status=all")
    assert titles(page) == ["Draft again"], "only the newest revision is listed"
    content = page.content.decode()
    assert "Rev 2" in content
    assert "29 min" in content
    assert "U+202E" in content
    assert page.context["groups"][0].rows[0].file_count == 1
    assert len(page.context["revisions"]) == 2


def test_detail_shows_facts_and_keeps_the_rest_for_details(
    browser: Client, channel: Channel
) -> None:
    metadata = {"errorRate": "0.04 %", "plugin": "x", "a": 1, "b": 2.5, "c": True, "d": 4, "e": {}}
    review = make_review(channel=channel, text="# Deploy?\n\nReally.", metadata=metadata)
    page = browser.get(f"/inbox/{review.pk}/")
    assert [name for name, _ in page.context["facts"].shown] == ["Error rate", "A", "B", "C"]
    assert [name for name, _ in page.context["facts"].rest] == ["D", "E"]
    assert page.content.count(b"<h1") == 1
    assert page.context["body"] == "Really."


def test_pages_are_never_stored(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel, now=timezone.now())
    for path in ("/inbox/", f"/inbox/{review.pk}/", "/channels/", f"/channels/{channel.pk}/"):
        assert browser.get(path)["Cache-Control"] == "no-store"
