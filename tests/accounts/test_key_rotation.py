"""Rotation: a new key now, and the old one as long as somebody chose."""

from datetime import datetime, timedelta

import pytest

from accounts.models import ApiKey, User, Workspace
from accounts.queries import key_for_clear_text
from accounts.services.keys import IssuedKey, KeyEndedError, issue_key, revoke_key, rotate_key

HOUR = timedelta(hours=1)


def new_key(workspace: Workspace, now: datetime, lives: timedelta | None = None) -> IssuedKey:
    issued = issue_key(
        workspace=workspace,
        created_by=None,
        label="Atlas",
        expires_at=now + lives if lives else None,
    )
    ApiKey.objects.update(created_at=now)
    return issued


def works(issued: IssuedKey, at: datetime) -> bool:
    return key_for_clear_text(issued.clear, now=at) is not None


def test_both_work_while_they_overlap(workspace: Workspace, person: User, now: datetime) -> None:
    old = new_key(workspace, now)
    new = rotate_key(old.row, by=person, overlap=HOUR, now=now)
    assert works(old, now + HOUR - timedelta(seconds=1))
    assert not works(old, now + HOUR)
    assert works(new, now + timedelta(days=1000))
    assert (new.row.label, new.row.created_by) == ("Atlas", person)


def test_without_overlap_the_old_one_ends_at_once(
    workspace: Workspace, person: User, now: datetime
) -> None:
    old = new_key(workspace, now)
    new = rotate_key(old.row, by=person, overlap=timedelta(0), now=now)
    assert not works(old, now)
    assert works(new, now)


def test_overlap_never_lengthens_a_life(workspace: Workspace, person: User, now: datetime) -> None:
    old = new_key(workspace, now, lives=HOUR)
    new = rotate_key(old.row, by=person, overlap=timedelta(days=7), now=now + HOUR / 2)
    assert not works(old, now + HOUR)
    assert new.row.expires_at == now + HOUR / 2 + HOUR


def test_key_is_replaced_once(workspace: Workspace, person: User, now: datetime) -> None:
    old = new_key(workspace, now)
    rotate_key(old.row, by=person, overlap=HOUR, now=now)
    with pytest.raises(KeyEndedError):
        rotate_key(old.row, by=person, overlap=HOUR, now=now)
    assert ApiKey.objects.count() == 2


def test_key_that_ended_is_not_replaced(workspace: Workspace, person: User, now: datetime) -> None:
    revoked, expired = new_key(workspace, now), new_key(workspace, now, lives=HOUR)
    revoke_key(revoked.row, now=now)
    for ended in (revoked, expired):
        with pytest.raises(KeyEndedError):
            rotate_key(ended.row, by=person, overlap=HOUR, now=now + HOUR)
