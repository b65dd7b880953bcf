"""A channel's settings: changed by owners and admins, read by the rest, muted by anybody."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from inbox.models import Channel, Mute
from inbox.queries import people_who_muted
from inbox.services.channels import Webhook, set_webhook
from tests.factories import make_person, make_review
from tests.receiver import Receiver
from tests.web.conftest import signed_in

ABOUT = {"name": "Nimbus", "description": "Plans\r\nroutes", "tag": "ops", "avatar_url": ""}
SECRET = "a-very-secret-value"


def path(channel: Channel, action: str = "settings") -> str:
    return f"/channels/{channel.pk}/{action}/"


def save_webhook(browser: Client, channel: Channel, **fields: str) -> Any:
    return browser.post(path(channel, "settings/webhook"), fields)


@pytest.fixture
def called(channel: Channel, receiver: Receiver) -> Channel:
    """A channel with a webhook that has secrets."""
    hook = Webhook(
        url=f"{receiver.url}/hook", headers={"X-Token": SECRET}, username="atlas", password=SECRET
    )
    return set_webhook(channel, webhook=hook)


def test_about_is_saved(browser: Client, channel: Channel) -> None:
    answer = browser.post(path(channel), ABOUT | {"confirm_answers": "on"})
    assert (answer.status_code, answer["Location"]) == (303, path(channel))
    channel.refresh_from_db()
    assert (channel.name, channel.tag, channel.avatar_url) == ("Nimbus", "ops", None)
    assert channel.confirm_answers
    assert "Plans" in browser.get(path(channel)).text
    browser.post(path(channel), ABOUT | {"description": ""})
    channel.refresh_from_db()
    assert (channel.description, channel.confirm_answers) == (None, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\0b"},
        {"tag": "x" * 65},
        {"description": "x" * 10_001},
        {"avatar_url": "javascript:alert(1)"},
        {"avatar_url": "ftp://example.org/a.png"},
    ],
)
def test_nonsense_is_refused_at_the_field(
    browser: Client, channel: Channel, wrong: dict[str, str]
) -> None:
    answer = browser.post(path(channel), ABOUT | wrong)
    assert answer.status_code == 422
    (field,) = wrong
    assert f'id="id_{field}_error"' in answer.text
    channel.refresh_from_db()
    assert channel.name == "Atlas"


def test_picture_is_never_loaded(browser: Client, channel: Channel) -> None:
    browser.post(path(channel), ABOUT | {"avatar_url": "https://tracker.example/a.png"})
    assert 'src="https://tracker.example' not in browser.get(path(channel)).text


def test_webhook_is_saved_and_its_secrets_are_not_shown(
    browser: Client, channel: Channel, receiver: Receiver
) -> None:
    answer = save_webhook(
        browser,
        channel,
        url=f"{receiver.url}/hook",
        headers=f"X-Token: {SECRET}\r\nX-Other: 1",
        username="atlas",
        password=SECRET,
    )
    assert answer.status_code == 303
    channel.refresh_from_db()
    assert channel.webhook_url == f"{receiver.url}/hook"
    assert channel.webhook_headers == {"X-Token": SECRET, "X-Other": "1"}
    assert (channel.webhook_username, channel.webhook_password) == ("atlas", SECRET)
    page = browser.get(path(channel)).text
    assert SECRET not in page
    assert "<code>X-Token</code>" in page


def test_empty_secrets_stay(browser: Client, called: Channel) -> None:
    save_webhook(browser, called, url=f"{called.webhook_url}/2", username="new")
    called.refresh_from_db()
    assert str(called.webhook_url).endswith("/hook/2")
    assert (called.webhook_username, called.webhook_password) == ("new", SECRET)
    assert called.webhook_headers == {"X-Token": SECRET}


def test_secrets_are_removed_when_asked(browser: Client, called: Channel) -> None:
    fields = {"url": str(called.webhook_url), "forget_headers": "on", "forget_password": "on"}
    assert save_webhook(browser, called, **fields).status_code == 303
    called.refresh_from_db()
    assert called.webhook_headers is None
    assert (called.webhook_username, called.webhook_password) == (None, None)


def test_secrets_do_not_follow_the_address_to_another_receiver(
    browser: Client, called: Channel
) -> None:
    with Receiver() as elsewhere:
        url = f"{elsewhere.url}/hook"
        answer = save_webhook(browser, called, url=url, username="atlas")
        assert answer.status_code == 422
        assert 'id="id_headers_error"' in answer.text
        assert 'id="id_password_error"' in answer.text
        called.refresh_from_db()
        assert called.webhook_url != url
        told = {"headers": "X-Token: other", "password": "other", "username": "atlas"}
        assert save_webhook(browser, called, url=url, **told).status_code == 303
    called.refresh_from_db()
    assert (called.webhook_url, called.webhook_password) == (url, "other")
    assert called.webhook_headers == {"X-Token": "other"}


def test_webhook_is_removed(browser: Client, called: Channel) -> None:
    assert save_webhook(browser, called, url="").status_code == 303
    called.refresh_from_db()
    assert called.webhook_url is None


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/",
        "ftp://example.org/",
        "x",
        "http://2130706433/",
        "https://user:password@example.org/",
        "http://[::1]x/",
        "https://example.org/\0",
        "https://example.org/" + "x" * 2048,
    ],
)
def test_unsafe_address_is_refused(browser: Client, channel: Channel, url: str) -> None:
    answer = save_webhook(browser, channel, url=url)
    assert answer.status_code == 422
    assert 'id="id_url_error"' in answer.text
    channel.refresh_from_db()
    assert channel.webhook_url is None


@pytest.mark.parametrize(
    "headers",
    ["no colon", "Host: evil", "webhook-id: 1", "X-A: é\u4e00", ": x", "Content-Type: text/x"],
)
def test_unsafe_headers_are_refused(
    browser: Client, channel: Channel, receiver: Receiver, headers: str
) -> None:
    answer = save_webhook(browser, channel, url=receiver.url, headers=headers)
    assert answer.status_code == 422
    assert 'id="id_headers_error"' in answer.text
    channel.refresh_from_db()
    assert channel.webhook_url is None


@pytest.mark.parametrize("role", Role.values)
def test_anybody_mutes_for_themselves(channel: Channel, person: User, role: str) -> None:
    member = make_person(channel.workspace, Role(role))
    theirs = signed_in(member)
    for _ in range(2):
        theirs.post(path(channel, "mute"), {"muted": "yes"})
    assert people_who_muted(channel) == {member.pk}
    assert "You muted this channel" in theirs.get(path(channel)).text
    assert "You muted this channel" not in signed_in(person).get(path(channel)).text
    theirs.post(path(channel, "mute"), {"muted": "no"})
    assert people_who_muted(channel) == set()


def test_deleting_asks_for_the_name(browser: Client, channel: Channel) -> None:
    make_review(channel=channel)
    assert "cannot be undone" in browser.get(path(channel, "delete")).text
    for typed in ("", "atlas", "Nimbus", "a\0b"):
        answer = browser.post(path(channel, "delete"), {"name": typed})
        assert answer.status_code == 422
        assert 'id="id_name_error"' in answer.text
    answer = browser.post(path(channel, "delete"), {"name": " Atlas "})
    assert answer["Location"] == "/channels/"
    assert not Channel.objects.exists()


@pytest.mark.parametrize("name", ["At\u202elas", "  Atlas", "At\u200blas"])
def test_name_with_characters_that_nobody_sees_can_be_typed(
    browser: Client, channel: Channel, name: str
) -> None:
    Channel.objects.update(name=name)
    assert browser.post(path(channel, "delete"), {"name": "Atlas"}).status_code == 303


def test_name_that_nobody_sees_is_replaced_by_the_id(browser: Client, channel: Channel) -> None:
    Channel.objects.update(name="\u200b")
    assert str(channel.pk) in browser.get(path(channel, "delete")).text
    assert browser.post(path(channel, "delete"), {"name": str(channel.pk)}).status_code == 303


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_other_roles_read_and_change_nothing(called: Channel, role: Role) -> None:
    member = signed_in(make_person(called.workspace, role))
    page = member.get(path(called)).text
    assert "Atlas" in page
    assert str(called.webhook_url) not in page
    assert 'name="url"' not in page
    for where, fields in (
        (path(called), ABOUT),
        (path(called, "settings/webhook"), {"url": ""}),
        (path(called, "delete"), {"name": "Atlas"}),
    ):
        answer = member.post(where, fields)
        assert answer.status_code == 403
        assert "Only owners and admins" in answer.text
    assert member.get(path(called, "delete")).status_code == 403
    called.refresh_from_db()
    assert called.name == "Atlas"
    assert called.webhook_url


def test_admin_may_change(channel: Channel) -> None:
    admin = signed_in(make_person(channel.workspace, Role.ADMIN))
    assert admin.post(path(channel), ABOUT).status_code == 303


def test_stranger_finds_nothing(outsider: Client, channel: Channel) -> None:
    for action, fields in (
        ("settings", ABOUT),
        ("settings/webhook", {"url": ""}),
        ("mute", {"muted": "yes"}),
        ("delete", {"name": "Atlas"}),
    ):
        assert outsider.post(path(channel, action), fields).status_code == 404
    for action in ("settings", "delete"):
        assert outsider.get(path(channel, action)).status_code == 404
    channel.refresh_from_db()
    assert channel.name == "Atlas"
    assert not Mute.objects.exists()
