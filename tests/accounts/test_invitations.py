"""Invitations: used once, by the right person, while the inviter could still invite."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Invitation, Role, User, Workspace
from accounts.queries import invitation_for_token, open_invitations
from accounts.services.invitations import (
    LIVES,
    AlreadyMemberError,
    InvitationGoneError,
    MadeInvitation,
    NotNewError,
    OtherPersonError,
    invite,
    join,
    join_as_new,
    withdraw_invitation,
)
from accounts.services.people import NotYoursToChangeError, change_role, remove_member
from tests.factories import PASSWORD, make_person, make_workspace, workspace_of

EMAIL = "ines@example.org"


def made(
    by: User, now: datetime, *, role: Role = Role.REVIEWER, email: str = EMAIL
) -> MadeInvitation:
    return invite(workspace=workspace_of(by), email=email, role=role, by=by, now=now)


def join_new(invitation: Invitation, now: datetime) -> User:
    return join_as_new(invitation, name="Ines", password=PASSWORD, now=now).user


def test_token_is_kept_as_a_hash_only(person: User, now: datetime) -> None:
    invitation = made(person, now)
    stored = Invitation.objects.values().get()
    assert invitation.token not in str(stored)
    found = invitation_for_token(invitation.token, now=now)
    assert found == invitation.row
    assert invitation_for_token(invitation.token[:-1], now=now) is None


def test_somebody_new_joins_once(person: User, workspace: Workspace, now: datetime) -> None:
    invitation = made(person, now)
    ines = join_new(invitation.row, now)
    membership = ines.memberships.get()
    assert (membership.workspace, membership.role) == (workspace, Role.REVIEWER)
    assert (ines.email, ines.name) == (EMAIL, "Ines")
    assert ines.check_password(PASSWORD)
    assert invitation_for_token(invitation.token, now=now) is None
    with pytest.raises(InvitationGoneError):
        join(invitation.row, user=ines, now=now)


def test_person_with_an_account_joins(person: User, workspace: Workspace, now: datetime) -> None:
    other = make_person(make_workspace("Elsewhere"), email=EMAIL)
    join(made(person, now, email="INES@example.org").row, user=other, now=now)
    assert {each.workspace for each in other.memberships.all()} >= {workspace}


def test_nobody_else_may_use_it(person: User, now: datetime) -> None:
    invitation = made(person, now)
    somebody = make_person(make_workspace("Elsewhere"))
    with pytest.raises(OtherPersonError):
        join(invitation.row, user=somebody, now=now)
    assert invitation_for_token(invitation.token, now=now) is not None


def test_account_that_exists_is_never_taken_over(person: User, now: datetime) -> None:
    owner = make_person(make_workspace("Elsewhere"), email=EMAIL)
    invitation = made(person, now)
    with pytest.raises(NotNewError):
        join_as_new(invitation.row, name="Thief", password="another long one", now=now)
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert owner.memberships.count() == 1
    assert invitation_for_token(invitation.token, now=now) is not None


def test_expired_link_lets_nobody_in(person: User, now: datetime) -> None:
    invitation = made(person, now)
    assert invitation_for_token(invitation.token, now=now + LIVES) is None
    with pytest.raises(InvitationGoneError):
        join_new(invitation.row, now + LIVES)
    assert not User.objects.filter(email=EMAIL).exists()


def test_withdrawn_link_lets_nobody_in(person: User, now: datetime) -> None:
    invitation = made(person, now)
    withdraw_invitation(invitation.row, by=person, now=now)
    with pytest.raises(InvitationGoneError):
        join_new(invitation.row, now)
    assert open_invitations(invitation.row.workspace, now=now) == []


def test_second_link_for_an_address_ends_the_first(person: User, now: datetime) -> None:
    first, second = made(person, now), made(person, now + timedelta(seconds=1))
    assert invitation_for_token(first.token, now=now) is None
    assert invitation_for_token(second.token, now=now) == second.row


def test_member_is_not_invited_again(person: User, now: datetime) -> None:
    with pytest.raises(AlreadyMemberError):
        made(person, now, email=person.email.upper())


@pytest.mark.parametrize(
    ("inviter", "role"),
    [(Role.ADMIN, Role.OWNER), (Role.REVIEWER, Role.VIEWER), (Role.VIEWER, Role.VIEWER)],
)
def test_nobody_gives_a_role_beyond_their_own(
    workspace: Workspace, now: datetime, inviter: Role, role: Role
) -> None:
    with pytest.raises(NotYoursToChangeError):
        made(make_person(workspace, inviter), now, role=role)
    assert not Invitation.objects.exists()


def test_invitation_ends_with_the_rights_of_its_inviter(
    person: User, workspace: Workspace, now: datetime
) -> None:
    admin, leaver = make_person(workspace, Role.ADMIN), make_person(workspace, Role.ADMIN)
    by_admin = made(admin, now, role=Role.ADMIN)
    by_leaver = made(leaver, now, role=Role.ADMIN, email="b@example.org")
    change_role(admin.memberships.get(), role=Role.VIEWER, by=person)
    remove_member(leaver.memberships.get(), by=person)
    for invitation in (by_admin, by_leaver):
        with pytest.raises(InvitationGoneError):
            join_new(invitation.row, now)
    assert workspace.memberships.count() == 2


def test_somebody_who_is_a_member_by_now_keeps_the_role(
    person: User, workspace: Workspace, now: datetime
) -> None:
    invitation = made(person, now, role=Role.VIEWER)
    member = make_person(workspace, Role.ADMIN, email=EMAIL)
    assert join(invitation.row, user=member, now=now).role == Role.ADMIN
