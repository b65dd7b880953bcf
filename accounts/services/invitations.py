"""Writes about invitations: made, withdrawn, used.

An invitation is only as good as its inviter: whoever lost the right to give its role since, or
left the workspace, took the invitation along.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.errors import RefusedError
from accounts.models import Invitation, Membership, Role, User, Workspace, hash_token
from accounts.services.people import NotYoursToChangeError, lock_workspace, require_assigning

LIVES = timedelta(days=7)
TOKEN_BYTES = 32


@dataclass(frozen=True)
class MadeInvitation:
    """The row, and the token that is shown once and kept nowhere."""

    row: Invitation
    token: str


class AlreadyMemberError(RefusedError):
    """Nobody is invited to where they are."""

    code = "already_member"


class InvitationGoneError(RefusedError):
    """Unknown, used, withdrawn, expired, or its inviter may not invite any more: all look alike."""

    code = "invitation_gone"

    def __init__(self) -> None:
        super().__init__(_("This invitation does not exist, was used, or has expired."))


class OtherPersonError(RefusedError):
    """The invitation is for another address."""

    code = "other_person"


class NotNewError(RefusedError):
    """No new account was made. It says nothing about whether there is one already."""

    code = "not_new"


@transaction.atomic
def invite(
    *, workspace: Workspace, email: str, role: Role, by: User, now: datetime
) -> MadeInvitation:
    """Make an invitation, which takes the place of an open one for the same address.

    Raises: NotYoursToChangeError, AlreadyMemberError.
    """
    lock_workspace(workspace)
    require_assigning(workspace, by, role)
    email = email.strip().lower()
    if Membership.objects.filter(workspace=workspace, user__email=email).exists():
        raise AlreadyMemberError(_("This person belongs to the workspace already."))
    _open(workspace).filter(email=email).update(revoked_at=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = Invitation.objects.create(
        workspace=workspace,
        email=email,
        role=role,
        token_hash=hash_token(token),
        created_by=by,
        created_at=now,
        expires_at=now + LIVES,
    )
    return MadeInvitation(row, token)


def _open(workspace: Workspace) -> QuerySet[Invitation]:
    return Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: User, now: datetime) -> None:
    """Raises: NotYoursToChangeError."""
    lock_workspace(invitation.workspace)
    require_assigning(invitation.workspace, by, invitation.role)
    _open(invitation.workspace).filter(pk=invitation.pk).update(revoked_at=now)


@transaction.atomic
def join(invitation: Invitation, *, user: User, now: datetime) -> Membership:
    """Let a signed-in person in.

    Raises: InvitationGoneError, OtherPersonError.
    """
    if user.email != invitation.email:
        raise OtherPersonError(_("This invitation is for another e-mail address than yours."))
    return _use(invitation, user, now)


def join_as_new(invitation: Invitation, *, name: str, password: str, now: datetime) -> Membership:
    """Make an account for the invited address and let its person in.

    Raises: InvitationGoneError, NotNewError.
    """
    user = User(email=invitation.email, display_name=name)
    user.set_password(password)  # slow on purpose, so before the transaction
    with transaction.atomic():
        return _use_with(invitation, user, now)


def _use_with(invitation: Invitation, user: User, now: datetime) -> Membership:
    """Raises: InvitationGoneError, NotNewError."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise NotNewError(
            _("No account could be made. If you have one, sign in and open this link again.")
        ) from None
    return _use(invitation, user, now)


def _use(invitation: Invitation, user: User, now: datetime) -> Membership:
    """Use an invitation up; somebody who is a member by now keeps the role they have.

    Raises: InvitationGoneError.
    """
    lock_workspace(invitation.workspace)
    try:
        require_assigning(invitation.workspace, invitation.created_by, invitation.role)
    except NotYoursToChangeError:
        raise InvitationGoneError from None
    alive = _open(invitation.workspace).filter(pk=invitation.pk, expires_at__gt=now)
    if not alive.update(accepted_at=now):
        raise InvitationGoneError
    membership, _created = Membership.objects.get_or_create(
        workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
    )
    return membership
