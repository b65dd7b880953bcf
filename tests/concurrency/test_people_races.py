"""Simultaneous changes of who belongs to a workspace, and of keys."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import RefusedError
from accounts.models import ApiKey, Membership, Role, User
from accounts.services.invitations import invite, join_as_new
from accounts.services.keys import rotate_key
from accounts.services.people import LastOwnerError, change_role, remove_member
from inbox.models import Channel, Mute
from inbox.services.mutes import mute_channel
from tests.concurrency.together import at_once
from tests.factories import PASSWORD, make_channel, make_key, make_person, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
FEW = 6


def outcome(call: object) -> str:
    try:
        call()  # type: ignore[operator]
    except RefusedError as refusal:
        return refusal.code
    return "done"


def test_owners_who_leave_at_once_leave_one_owner() -> None:
    workspace = make_workspace()
    owners = [make_person(workspace) for _ in range(FEW)]

    def leave(owner: User) -> str:
        return outcome(lambda: remove_member(owner.memberships.get(), by=owner))

    told = at_once([lambda owner=owner: leave(owner) for owner in owners])  # type: ignore[misc]
    assert sorted(told) == ["done"] * (FEW - 1) + [LastOwnerError.code]
    assert Membership.objects.get(workspace=workspace).role == Role.OWNER


def test_owners_who_demote_each_other_leave_one_owner() -> None:
    workspace = make_workspace()
    one, other = make_person(workspace), make_person(workspace)

    def demote(by: User, whom: User) -> str:
        member = whom.memberships.get()
        return outcome(lambda: change_role(member, role=Role.VIEWER, by=by))

    told = at_once([lambda: demote(one, other), lambda: demote(other, one)])
    assert sorted(told) == ["done", "not_yours_to_change"]
    assert Membership.objects.filter(workspace=workspace, role=Role.OWNER).count() == 1


def test_link_that_is_used_many_times_at_once_lets_one_in() -> None:
    workspace, now = make_workspace(), timezone.now()
    by = make_person(workspace)
    row = invite(workspace=workspace, email="a@example.org", role=Role.VIEWER, by=by, now=now).row
    use = lambda: outcome(  # noqa: E731
        lambda: join_as_new(row, name="A", password=PASSWORD, now=now)
    )
    told = at_once([use] * FEW)
    assert told.count("done") == 1
    assert set(told) <= {"done", "not_new", "invitation_gone"}
    assert User.objects.filter(email="a@example.org").count() == 1
    assert workspace.memberships.count() == 2


def test_key_that_is_rotated_many_times_at_once_gets_one_successor() -> None:
    workspace = make_workspace()
    key, by = make_key(workspace).row, make_person(workspace)
    rotate = lambda: outcome(  # noqa: E731
        lambda: rotate_key(key, by=by, overlap=timedelta(hours=1), now=timezone.now())
    )
    assert sorted(at_once([rotate] * FEW)) == ["done"] + ["key_ended"] * (FEW - 1)
    assert ApiKey.objects.count() == 2


def test_channel_that_is_muted_many_times_at_once_is_muted_once() -> None:
    channel: Channel = make_channel(make_workspace())
    user = make_person(channel.workspace)
    mute = lambda: mute_channel(channel, user=user, now=timezone.now())  # noqa: E731
    at_once([mute] * FEW)
    assert Mute.objects.count() == 1
