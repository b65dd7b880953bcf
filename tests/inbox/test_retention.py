"""Steps and changes of status are kept for 90 days, and the latest status for ever."""

from datetime import datetime, timedelta

import pytest

from accounts.ids import uuid7
from inbox.models import Channel, StatusChange, StatusEvent
from inbox.retention import forget_old

pytestmark = pytest.mark.django_db

OLD, YOUNG = timedelta(days=91), timedelta(days=89)


def note_change(channel: Channel, at: datetime) -> int:
    return StatusChange.objects.create(channel=channel, status="busy", changed_at=at).pk


def test_old_steps_go(channel: Channel, now: datetime) -> None:
    for index, age in enumerate((OLD, YOUNG)):
        StatusEvent.objects.create(
            id=uuid7(now - age), channel=channel, stream_id="s", index=index, text="Looking"
        )
    assert forget_old(now=now) == {"steps": 1, "status changes": 0}
    assert StatusEvent.objects.get().index == 1


def test_old_changes_go_but_the_latest_of_each_agent(channel: Channel, now: datetime) -> None:
    StatusChange.objects.all().delete()
    note_change(channel, now - OLD - OLD)
    latest = note_change(channel, now - OLD)
    assert forget_old(now=now)["status changes"] == 1
    assert StatusChange.objects.get().pk == latest


def test_young_changes_stay(channel: Channel, now: datetime) -> None:
    StatusChange.objects.all().delete()
    note_change(channel, now - YOUNG)
    note_change(channel, now)
    assert forget_old(now=now)["status changes"] == 0
