"""A channel's receiver: its health in a sentence, its test, its failures, and what signs."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as ReferenceVerifier

from accounts.models import Role, User
from delivery.engine import deliver_due
from delivery.models import Delivery, GoneUrl, Lane, SigningSecret, State, long_ago
from inbox.models import Channel
from inbox.services.channels import Webhook, set_webhook
from reviews.resending import MOST_AT_ONCE
from tests.factories import PASSWORD, make_channel, make_person
from tests.receiver import Receiver
from tests.web.conftest import signed_in
from tests.web.receiver_page import path, post, shown, switch_off, write
from tests.web.test_query_counts import statements

POSTS = ["test", "replay", "switch-on", "secrets", "rotate"]


@pytest.fixture
def channel(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


def send(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: (status, {}, b"")
    Delivery.objects.filter(state=State.PENDING).update(next_attempt_at=long_ago())
    Lane.objects.update(open_until=long_ago())
    deliver_due()


def reviewer(channel: Channel) -> Client:
    return signed_in(make_person(channel.workspace, Role.REVIEWER))


class TestHealth:
    def test_new_receiver_is_not_used_yet(self, browser: Client, channel: Channel) -> None:
        assert "Not used yet" in shown(browser, channel)

    def test_channel_without_a_webhook_says_so(self, browser: Client, channel: Channel) -> None:
        set_webhook(channel, webhook=None)
        page = shown(browser, channel)
        assert "No webhook is set" in page
        assert "Send test" not in page

    def test_receiver_that_answers_works(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        write(channel)
        send(receiver, 200)
        page = shown(browser, channel)
        assert "The last event arrived at" in page
        assert "None yet" not in page

    def test_failures_are_counted_and_the_breaker_is_named(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        write(channel)
        send(receiver, 500)
        assert "The last call failed." in shown(browser, channel)
        send(receiver, 500)
        send(receiver, 500)
        page = shown(browser, channel)
        assert "The last 3 calls failed. It is left alone until" in page
        assert "Left alone until" in page

    def test_figures_count_what_waits_and_what_failed_lately(
        self, browser: Client, channel: Channel
    ) -> None:
        write(channel, 6)
        ids = list(Delivery.objects.values_list("pk", flat=True))
        now = timezone.now()
        ended = {"state": State.EXHAUSTED, "finished_at": now}
        Delivery.objects.filter(pk__in=ids[:2]).update(**ended)
        long_ended = {"state": State.EXHAUSTED, "finished_at": now - timedelta(days=8)}
        Delivery.objects.filter(pk=ids[2]).update(**long_ended)
        figures = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", shown(browser, channel))
        assert {("Waiting", "3"), ("Failed in 7 days", "2")} <= set(figures)

    def test_address_that_is_gone_is_switched_on_again(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        write(channel)
        send(receiver, 410)
        assert "Switched off by the receiver" in shown(browser, channel)
        assert "switched off" in browser.get(f"/channels/{channel.pk}/").content.decode()
        assert post(browser, channel, "switch-on").status_code == 303
        assert not GoneUrl.objects.exists()
        assert "Switched off by the receiver" not in shown(browser, channel)


class TestSwitchedOff:
    def test_it_is_announced_where_people_look(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        write(channel)
        switch_off()
        page = shown(browser, channel)
        assert f"{receiver.url} only failed since" in page
        assert "Switched off since" in page
        assert "Send test" not in page
        assert "The receiver is switched off" in browser.get(f"/channels/{channel.pk}/").text
        notice = browser.get("/inbox/").content.decode()
        assert f"{receiver.url} is switched off" in notice
        assert f'href="{path(channel)}"' in notice

    def test_one_click_sends_what_waited_and_offers_the_rest(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        write(channel, 2)
        failed = Delivery.objects.order_by("id")[:1].get()
        ended = {"state": State.EXHAUSTED, "finished_at": timezone.now()}
        Delivery.objects.filter(pk=failed.pk).update(**ended)
        switch_off()
        assert deliver_due() == 0
        answer = post(browser, channel, "switch-on")
        assert (answer.status_code, answer["Location"]) == (303, path(channel))
        assert "1 event failed for good" in shown(browser, channel)
        send(receiver, 200)
        assert len(receiver.received) == 1
        assert not Lane.objects.exclude(disabled_at=None).exists()

    def test_receiver_of_a_request_alone_counts_too(
        self, browser: Client, channel: Channel
    ) -> None:
        write(channel)
        switch_off()
        set_webhook(channel, webhook=None)
        assert "Switched off" in shown(browser, channel)
        post(browser, channel, "switch-on")
        assert not Lane.objects.exclude(disabled_at=None).exists()

    def test_other_channels_are_not_alarmed(self, browser: Client, channel: Channel) -> None:
        write(channel)
        switch_off()
        quiet = make_channel(channel.workspace, webhook_url="https://quiet.example/hook")
        assert "Switched off" not in shown(browser, quiet)
        assert "is switched off" not in browser.get(f"/channels/{quiet.pk}/").text

    def test_only_those_who_manage_are_told_in_the_inbox(
        self, channel: Channel, outsider: Client
    ) -> None:
        write(channel)
        switch_off()
        assert "is switched off" not in reviewer(channel).get("/inbox/").text
        assert "is switched off" not in outsider.get("/inbox/").text

    def test_notice_costs_the_same_for_many_receivers(
        self, browser: Client, channel: Channel
    ) -> None:
        calm = statements(browser, "/inbox/")
        write(channel)
        switch_off()
        assert statements(browser, "/inbox/") <= calm + 1
        for number in range(4):
            write(make_channel(channel.workspace, webhook_url=f"https://a{number}.example/"))
        switch_off()
        assert statements(browser, "/inbox/") <= calm + 1
        assert browser.get("/inbox/").text.count("is switched off") == 5


class TestSendTest:
    def test_it_arrives_signed_and_its_outcome_is_shown(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        assert post(browser, channel, "test").status_code == 303
        send(receiver, 200)
        (request,) = receiver.received
        assert request.json["event"] == "webhook:test"
        assert request.json["channelId"] == str(channel.pk)
        assert set(request.json) == {"event", "channelId", "sent_at"}
        secret = str(SigningSecret.objects.get().secret)
        ReferenceVerifier(secret).verify(request.body, request.headers)
        page = shown(browser, channel)
        assert "webhook:test" in page
        assert "HTTP 200" in page
        assert "Works" in page

    def test_what_the_receiver_answers_is_shown(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        post(browser, channel, "test")
        receiver.answer = lambda _: (500, {}, b"no such <b>route</b>")
        deliver_due()
        page = shown(browser, channel)
        assert "no such &lt;b&gt;route" in page
        assert "Try now" not in page
        Delivery.objects.update(created_at=timezone.now() - timedelta(days=2))
        assert "no such" not in shown(browser, channel)

    def test_pressing_again_tries_the_same_test_now(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        post(browser, channel, "test")
        send(receiver, 500)
        post(browser, channel, "test")
        receiver.answer = lambda _: (200, {}, b"")
        deliver_due()
        first, second = receiver.received
        assert first.event_id == second.event_id
        assert Delivery.objects.count() == 1

    def test_without_an_address_it_says_so(self, browser: Client, channel: Channel) -> None:
        set_webhook(channel, webhook=None)
        assert post(browser, channel, "test").status_code == 303
        assert "No webhook is set, so" in shown(browser, channel)
        assert not Delivery.objects.exists()


class TestReplay:
    def test_what_failed_is_sent_again(
        self, browser: Client, channel: Channel, receiver: Receiver
    ) -> None:
        write(channel, 3)
        send(receiver, 410)
        assert "3 events failed for good" in shown(browser, channel)
        assert post(browser, channel, "replay", since="1").status_code == 303
        assert "3 events are being sent again." in shown(browser, channel)
        send(receiver, 200)
        assert "is still missing" in shown(browser, channel)

    def test_page_says_how_many_are_left(
        self, browser: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert MOST_AT_ONCE == 1000
        monkeypatch.setattr("reviews.resending.MOST_AT_ONCE", 2)
        write(channel, 3)
        Delivery.objects.update(state=State.EXHAUSTED, finished_at=timezone.now())
        post(browser, channel, "replay", since="24")
        assert "2 events are being sent again. 1 is left." in shown(browser, channel)

    def test_nothing_to_replay_is_said(self, browser: Client, channel: Channel) -> None:
        post(browser, channel, "replay", since="24")
        assert "Nothing has failed." in shown(browser, channel)

    @pytest.mark.parametrize("since", ["", "2", "-1", "x", "9" * 400, "24\0"])
    def test_other_spans_are_refused(self, browser: Client, channel: Channel, since: str) -> None:
        answer = post(browser, channel, "replay", since=since)
        assert answer.status_code == 422
        assert "replay-since-error" in answer.text


class TestAccess:
    @pytest.mark.parametrize("action", POSTS)
    def test_outsider_finds_nothing(self, outsider: Client, channel: Channel, action: str) -> None:
        write(channel)
        switch_off()
        fields = {"since": "24", "overlap": "0", "password": PASSWORD}
        assert post(outsider, channel, action, **fields).status_code == 404
        assert outsider.get(path(channel)).status_code == 404
        assert Delivery.objects.count() == 1
        assert Lane.objects.exclude(disabled_at=None).exists()
        assert not SigningSecret.objects.exists()

    @pytest.mark.parametrize("action", POSTS)
    def test_viewer_does_nothing(self, viewer: Client, channel: Channel, action: str) -> None:
        write(channel)
        switch_off()
        page = shown(viewer, channel)
        assert "Switch on" not in page
        assert "Replay" not in page
        fields = {"since": "24", "overlap": "0", "password": PASSWORD}
        assert post(viewer, channel, action, **fields).status_code == 403
        assert Delivery.objects.count() == 1
        assert Lane.objects.exclude(disabled_at=None).exists()

    @pytest.mark.parametrize("action", POSTS)
    def test_signed_out_person_is_led_to_the_door(
        self, client: Client, channel: Channel, action: str
    ) -> None:
        assert client.get(path(channel)).status_code == 302
        assert post(client, channel, action)["Location"].startswith("/sign-in/")

    @pytest.mark.parametrize("action", POSTS)
    def test_nothing_happens_on_a_get(self, browser: Client, channel: Channel, action: str) -> None:
        assert browser.get(path(channel, action)).status_code == 405

    @pytest.mark.parametrize("action", POSTS)
    def test_posts_need_a_token_against_forgery(
        self, person: User, channel: Channel, action: str
    ) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person)
        assert post(strict, channel, action).status_code == 403

    def test_foreign_deliveries_are_not_listed(
        self, browser: Client, channel: Channel, outsider: Client
    ) -> None:
        foreign = make_channel(webhook_url="https://foreign.example/hook")
        write(foreign)
        Delivery.objects.update(signing_scope=str(channel.pk))
        assert "foreign.example" not in shown(browser, channel)


def test_page_lists_fifty_and_costs_the_same(browser: Client, channel: Channel) -> None:
    write(channel)
    post(browser, channel, "test")
    shown(browser, channel)  # the first look makes the workspace's key
    few = statements(browser, path(channel))
    write(channel, 55)
    assert statements(browser, path(channel)) == few
    assert few <= 20
    page = shown(browser, channel)
    assert page.count(">Attempts</a>") == 50


def test_deleted_message_has_no_link(browser: Client, channel: Channel) -> None:
    write(channel)
    channel.messages.all().delete()
    page = shown(browser, channel)
    assert "message:created" in page
    assert ">Attempts</a>" not in page
