"""What operators do with deliveries and their receivers."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from delivery.engine import deliver_due
from delivery.models import Attempt, Delivery, Event, GoneUrl, Lane, State
from inbox.models import Channel, Sender
from inbox.services.channels import Webhook, set_webhook
from tests.factories import make_channel, make_message, make_person
from tests.receiver import Receiver
from tests.web.test_query_counts import statements

SECRET = "a-very-secret-value"
DELIVERIES = reverse("admin:delivery_delivery_changelist")
LANES = reverse("admin:delivery_lane_changelist")


@pytest.fixture
def operator(client: Client, person: User) -> Client:
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    client.force_login(person)
    return client


@pytest.fixture
def channel(channel: Channel, receiver: Receiver) -> Channel:
    hook = Webhook(url=f"{receiver.url}/hook?token={SECRET}", headers={"x-own": SECRET})
    return set_webhook(channel, webhook=hook)


def write(channel: Channel, count: int = 1) -> None:
    author = make_person(channel.workspace)
    for _ in range(count):
        make_message(channel, sender=Sender.USER, author=author)


def fail() -> None:
    ended = {"state": State.EXHAUSTED, "finished_at": timezone.now()}
    Delivery.objects.filter(state=State.PENDING).update(**ended)


def act(client: Client, address: str, action: str, rows: Any) -> str:
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    answer = client.post(address, chosen, follow=True)
    assert answer.status_code == 200
    return str(answer.text)


def test_failed_delivery_is_sent_again_as_it_was(
    operator: Client, channel: Channel, receiver: Receiver
) -> None:
    write(channel)
    fail()
    set_webhook(channel, webhook=Webhook(url="https://new.example/hook"))
    assert "1 is sent again." in act(operator, DELIVERIES, "send_again", Delivery.objects.all())
    deliver_due()
    (request,) = receiver.received
    assert request.path == f"/hook?token={SECRET}"
    assert request.headers["x-own"] == SECRET
    assert request.event_id == Event.objects.get().id
    assert Delivery.objects.get(replay_no=1).state == State.DELIVERED


def test_only_what_failed_and_is_kept_is_sent_again(
    operator: Client, channel: Channel, receiver: Receiver
) -> None:
    write(channel)
    deliver_due()
    write(channel)
    fail()
    Event.objects.filter(deliveries__state=State.EXHAUSTED).update(body=None)
    write(channel)
    assert "0 are sent again." in act(operator, DELIVERIES, "send_again", Delivery.objects.all())
    assert Delivery.objects.count() == 3


def test_only_what_waits_is_cancelled(
    operator: Client, channel: Channel, receiver: Receiver
) -> None:
    write(channel)
    deliver_due()
    write(channel, 2)
    assert "2 were cancelled." in act(operator, DELIVERIES, "cancel", Delivery.objects.all())
    assert deliver_due() == 0
    states = sorted(Delivery.objects.values_list("state", flat=True))
    assert states == [State.CANCELLED, State.CANCELLED, State.DELIVERED]


def test_receiver_is_switched_on(operator: Client, channel: Channel) -> None:
    write(channel)
    Lane.objects.update(disabled_at=timezone.now(), fail_streak=12)
    assert "1 lane was switched on." in act(operator, LANES, "switch_on", Lane.objects.all())
    lane = Lane.objects.get()
    assert (lane.disabled_at, lane.fail_streak) == (None, 0)


def test_who_may_only_look_has_no_actions(channel: Channel, client: Client) -> None:
    write(channel)
    fail()
    Lane.objects.update(disabled_at=timezone.now())
    watcher = make_person(channel.workspace, is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(watcher)
    assert "Send again" not in client.get(DELIVERIES).text
    act(client, DELIVERIES, "send_again", Delivery.objects.all())
    act(client, DELIVERIES, "cancel", Delivery.objects.all())
    act(client, LANES, "switch_on", Lane.objects.all())
    assert Delivery.objects.count() == 1
    assert Lane.objects.exclude(disabled_at=None).exists()


@pytest.mark.parametrize("address", [DELIVERIES, LANES])
@pytest.mark.parametrize("action", ["send_again", "cancel", "switch_on"])
def test_others_reach_no_action(
    client: Client, channel: Channel, address: str, action: str
) -> None:
    write(channel)
    rows = {"action": action, "_selected_action": [str(Delivery.objects.get().pk)]}
    client.force_login(make_person(channel.workspace))
    assert client.post(address, rows).status_code == 302
    assert Delivery.objects.get().state == State.PENDING


def test_overview_counts_what_waits_and_what_ended(operator: Client, channel: Channel) -> None:
    write(channel, 3)
    fail()
    write(channel, 2)
    Delivery.objects.filter(state=State.PENDING).update(
        created_at=timezone.now() - timedelta(days=400)
    )
    Lane.objects.update(disabled_at=timezone.now())
    page = operator.get(DELIVERIES).text
    assert "2 waiting, 0 sending" in page
    assert "1 lane switched off" in page
    assert f"{timezone.now() - timedelta(days=400):%Y-%m-%d}" in page
    assert "3 given up" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state__exact=exhausted", 3),
        ("state__exact=pending", 2),
        ("made=hour", 5),
        ("made=nonsense", 5),
    ],
)
def test_list_is_filtered(operator: Client, channel: Channel, query: str, found: int) -> None:
    write(channel, 3)
    fail()
    write(channel, 2)
    page = operator.get(f"{DELIVERIES}?{query}")
    assert page.context["cl"].result_count == found


def test_list_is_filtered_by_workspace_and_searched(operator: Client, channel: Channel) -> None:
    foreign = make_channel(webhook_url="https://foreign.example/hook")
    write(channel, 2)
    write(foreign)

    def count(query: str) -> int:
        return int(operator.get(f"{DELIVERIES}?{query}").context["cl"].result_count)

    assert count(f"event__workspace__id__exact={channel.workspace_id}") == 2
    assert count(f"q={channel.pk}") == 2
    assert count(f"q={Event.objects.values_list('pk', flat=True)[0]}") == 1
    assert count("q=foreign.example") == 1


def test_secrets_of_addresses_are_not_shown(
    operator: Client, channel: Channel, receiver: Receiver
) -> None:
    write(channel)
    receiver.answer = lambda _: (500, {}, b"<script>alert(1)</script>")
    deliver_due()
    error = f"Max retries exceeded with url: /hook?token={SECRET}"
    Attempt.objects.update(error=error)
    Delivery.objects.update(last_error=error)
    delivery = Delivery.objects.get()
    gone = GoneUrl.objects.create(
        workspace=channel.workspace, url=delivery.url, url_sha256=delivery.target_key
    )
    for address in (
        DELIVERIES,
        reverse("admin:delivery_delivery_change", args=[delivery.pk]),
        reverse("admin:delivery_attempt_changelist"),
        reverse("admin:delivery_attempt_change", args=[Attempt.objects.get().pk]),
        reverse("admin:delivery_goneurl_changelist"),
        reverse("admin:delivery_goneurl_change", args=[gone.pk]),
        LANES,
    ):
        page = operator.get(address)
        assert page.status_code == 200
        assert SECRET not in page.text
        assert "<script>alert" not in page.text


def test_list_costs_the_same_for_any_number(operator: Client, channel: Channel) -> None:
    write(channel)
    few = statements(operator, DELIVERIES)
    write(channel, 30)
    assert statements(operator, DELIVERIES) == few
    assert few <= 12
