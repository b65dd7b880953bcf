"""A channel's receiver page, and what makes it interesting."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from delivery.models import Lane
from inbox.models import Channel, Sender
from tests.factories import make_message, make_person


def path(channel: Channel, action: str = "") -> str:
    return f"/channels/{channel.pk}/delivery/" + (f"{action}/" if action else "")


def shown(browser: Client, channel: Channel) -> str:
    page = browser.get(path(channel))
    assert page.status_code == 200
    return str(page.content.decode())


def post(browser: Client, channel: Channel, action: str, **fields: Any) -> Any:
    return browser.post(path(channel, action), fields)


def write(channel: Channel, count: int = 1) -> None:
    author = make_person(channel.workspace)
    for _ in range(count):
        make_message(channel, sender=Sender.USER, author=author)


def switch_off() -> None:
    Lane.objects.update(
        disabled_at=timezone.now(), failing_since=timezone.now() - timedelta(days=5), fail_streak=30
    )
