"""Operators' admin: every model has pages that open, and secrets stay out of them."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import paging
from accounts.models import ApiKey, Role, User
from accounts.services.invitations import invite
from attachments.deleting import delete_files
from attachments.models import Sighting
from attachments.reconciling import reconcile_daily
from delivery.engine import deliver_due
from delivery.models import EngineBeat, FeedHead, GoneUrl
from inbox.models import Channel, ChannelStatus, Message, Thread
from inbox.services.channels import Webhook, note_status, set_webhook
from inbox.services.messages import Origin
from inbox.services.mutes import mute_channel
from inbox.services.pictures import set_picture
from inbox.services.streams import note_step
from reviews.models import Closer, PluginConfig
from reviews.reading import mark_read
from reviews.services import Answer, answer_review
from tests.cases import each
from tests.factories import make_file, make_message, make_person, make_review, make_session
from tests.push import make_device
from tests.receiver import Receiver
from web.notifying import send_trial

SECRET = "a-very-secret-value"
OURS = [model for model in admin.site._registry if model.__module__.split(".")[0] != "django"]


@pytest.fixture
def operator(client: Client, person: User) -> Client:
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    client.force_login(person)
    return client


@pytest.fixture
def everything(channel: Channel, person: User, receiver: Receiver) -> None:
    """A row of each model, made by the product itself where it can be."""
    hook = Webhook(url=f"{receiver.url}/x", headers={"x-token": SECRET}, password=SECRET)
    set_webhook(channel, webhook=hook)
    review = make_review("text-input", {}, channel=channel)
    answer = Answer(response={"text": SECRET}, by=person, via=Closer.PAGE)
    answer_review(review, answer=answer)
    mark_read(review=review, user=person, now=timezone.now())
    deliver_due()
    Thread.objects.create(channel=channel)
    now = timezone.now()
    mute_channel(channel, user=person, now=now)
    invite(workspace=channel.workspace, email="a@example.org", role=Role.VIEWER, by=person, now=now)
    note_status(channel, status=ChannelStatus.BUSY, message=None, now=now)
    note_step(channel, stream_id="s", text="reading", tool_hint=True, now=now)
    GoneUrl.objects.create(workspace=channel.workspace, url=receiver.url, url_sha256="0" * 64)
    FeedHead.objects.create(workspace=channel.workspace)
    set_picture(channel, content=b"RIFF")
    delete_files([make_file(channel)])
    reconcile_daily(now=now)
    Sighting.objects.create(key="b", first_seen_at=now, last_seen_at=now)
    plugin = {"name": "card", "version": "1.0.0", "values_json": SECRET}
    PluginConfig.objects.create(workspace=channel.workspace, **plugin)
    device = make_device(person, f"https://push.example/{SECRET}", now)
    send_trial(device, channel.workspace, now=now)
    EngineBeat.objects.get_or_create(name="w:1", defaults={"seen_at": timezone.now()})
    ApiKey.objects.create(workspace=channel.workspace, key_hash="1" * 64, key_prefix="hp_12345678")
    make_file(channel, filename="a.csv", mime_type="text/csv")


def test_every_model_of_ours_has_an_admin() -> None:
    from django.apps import apps

    apps_of_ours = ("accounts", "inbox", "reviews", "attachments", "delivery")
    models = {model for label in apps_of_ours for model in apps.get_app_config(label).get_models()}
    assert models <= set(admin.site._registry)


@each("model", OURS)
def test_list_search_and_row_open(operator: Client, everything: None, model: type[Model]) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row: Any = model._default_manager.first()
    assert row is not None
    searchable = bool(admin.site._registry[model].search_fields)
    for address in (
        reverse(f"{name}_changelist") + ("?q=01a1fbfb-face-7572-91e0-670124d68395" * searchable),
        reverse(f"{name}_changelist"),
        reverse(f"{name}_change", args=[row.pk]),
    ):
        answer = operator.get(address)
        assert answer.status_code == 200, address
        assert SECRET not in answer.content.decode() or model.__name__ == "ReviewRequest"


def test_message_of_another_platform_is_found_by_its_id_there(
    operator: Client, channel: Channel
) -> None:
    heard = make_message(channel, text="Hi", origin=Origin("discord", "m-98765"))
    other = make_message(channel, text="Hello", origin=Origin("telegram", "m-1"))
    page = operator.get(reverse("admin:inbox_message_changelist") + "?q=m-98765")
    text = page.content.decode()
    assert str(heard.pk) in text
    assert '<td class="field-source">discord</td>' in text
    assert str(other.pk) not in text


def test_picture_that_is_deleted_is_named_no_more(operator: Client, channel: Channel) -> None:
    set_picture(channel, content=b"RIFF")
    address = reverse("admin:inbox_channelpicture_delete", args=[channel.pk])
    assert operator.post(address, {"post": "yes"}).status_code == 302
    channel.refresh_from_db()
    assert channel.picture == ""


def test_new_key_is_shown_once(operator: Client, channel: Channel) -> None:
    form = {"workspace": str(channel.workspace_id), "label": "Bot", "expires_at_0": ""}
    answer = operator.post(
        reverse("admin:accounts_apikey_add"), form | {"expires_at_1": ""}, follow=True
    )
    key = ApiKey.objects.get(label="Bot")
    assert key.key_prefix in answer.content.decode()
    assert (
        key.key_prefix in operator.get(reverse("admin:accounts_apikey_changelist")).content.decode()
    )


def test_person_without_the_right_does_not_get_in(client: Client, channel: Channel) -> None:
    client.force_login(make_person(channel.workspace))
    assert client.get(reverse("admin:index")).status_code == 302


def test_anybody_may_read_the_api_document(client: Client) -> None:
    page = client.get(reverse("docs"))
    assert page.status_code == 200
    assert "http://" not in page.content.decode().replace("http://testserver", "")
    assert client.get(reverse("schema")).status_code == 200


@pytest.mark.parametrize("password", ["short", "password1234", "ines.lindqvist"])
def test_operator_gives_nobody_a_bad_password(operator: Client, password: str) -> None:
    fields = {"email": "ines@example.org", "display_name": "Ines Lindqvist"}
    answer = operator.post(
        reverse("admin:accounts_user_add"),
        fields | {"password1": password, "password2": password, "usable_password": "true"},
    )
    assert answer.status_code == 200
    assert "errorlist" in answer.text
    assert not User.objects.filter(email="ines@example.org").exists()


def test_admin_of_sessions_shows_neither_key_nor_address(operator: Client, person: User) -> None:
    session = make_session(person, address="192.0.2.99")
    for path in (
        reverse("admin:accounts_session_changelist"),
        reverse("admin:accounts_session_change", args=[session.pk]),
    ):
        page = operator.get(path).text
        assert person.email in page
        assert session.key_hash not in page
        assert "192.0.2.99" not in page


def test_long_lists_are_counted_up_to_a_bound_and_still_paged(
    operator: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_LISTED", 105)
    Message.objects.bulk_create(
        Message(workspace=channel.workspace, channel=channel, sender="agent") for _ in range(110)
    )
    with CaptureQueriesContext(connection) as captured:
        page: Any = operator.get("/admin/inbox/message/?p=2")
    assert page.status_code == 200
    assert page.context["cl"].result_count == 105
    assert len(page.context["cl"].result_list) == 5
    counts = [each["sql"] for each in captured.captured_queries if "COUNT(" in each["sql"]]
    assert len(counts) == 1
    assert "LIMIT 105" in counts[0]
