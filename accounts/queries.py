"""Reads about people and keys."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.errors import RefusedError
from accounts.ids import parse_uuid
from accounts.models import (
    ApiKey,
    Invitation,
    Membership,
    Session,
    User,
    Workspace,
    hash_key,
    hash_token,
)

MOST_SHOWN = 500


class NotFoundError(RefusedError):
    """No such row in this workspace. Foreign and missing look the same."""

    code = "not_found"


def key_for_clear_text(clear: str, *, now: datetime) -> ApiKey | None:
    """Find the usable key for what a caller showed: known, not revoked, not expired."""
    return keys_for_clear_texts([clear], now=now).get(clear)


def keys_for_clear_texts(shown: Collection[str], *, now: datetime) -> dict[str, ApiKey]:
    """The usable keys among what callers showed, in one statement."""
    hashes = {clear: hash_key(clear) for clear in shown}
    rows = ApiKey.objects.select_related("workspace").filter(key_hash__in=set(hashes.values()))
    known = {row.key_hash: row for row in rows if row.works_at(now)}
    return {clear: known[hashed] for clear, hashed in hashes.items() if hashed in known}


def memberships_of(user: User) -> list[Membership]:
    """A person's workspaces, the oldest membership first."""
    if user.loaded_memberships is not None:
        return user.loaded_memberships
    return list(
        Membership.objects.filter(user=user).select_related("workspace").order_by("created_at")
    )


def keys_of(workspace: Workspace) -> list[ApiKey]:
    """A workspace's keys, the newest first."""
    rows = ApiKey.objects.filter(workspace=workspace).select_related("created_by")
    return list(rows.order_by("-created_at", "-id")[:MOST_SHOWN])


def find_key(workspace: Workspace, key_id: uuid.UUID) -> ApiKey:
    """Raises: NotFoundError."""
    row = ApiKey.objects.filter(workspace=workspace, pk=key_id).first()
    if row is None:
        raise NotFoundError("Key not found")
    return row


def working_keys_of(workspace: Workspace, *, now: datetime) -> list[ApiKey]:
    """A workspace's keys that open something now, the newest first."""
    return list(_working(workspace, now).order_by("-created_at", "-id")[:MOST_SHOWN])


def find_working_key(workspace: Workspace, key_id: str, *, now: datetime) -> ApiKey:
    """Raises: NotFoundError."""
    wanted = parse_uuid(key_id)
    row = _working(workspace, now).filter(pk=wanted).first() if wanted else None
    if row is None:
        raise NotFoundError("API key not found")
    return row


def _working(workspace: Workspace, now: datetime) -> QuerySet[ApiKey]:
    lasting = Q(expires_at=None) | Q(expires_at__gt=now)
    return ApiKey.objects.filter(lasting, workspace=workspace, revoked_at=None)


def members_of(workspace: Workspace) -> list[Membership]:
    """Who belongs to a workspace, the longest first."""
    rows = Membership.objects.filter(workspace=workspace).select_related("user")
    return list(rows.order_by("created_at", "id")[:MOST_SHOWN])


def find_member(workspace: Workspace, member_id: uuid.UUID) -> Membership:
    """Raises: NotFoundError."""
    rows = Membership.objects.filter(workspace=workspace).select_related("user", "workspace")
    row = rows.filter(pk=member_id).first()
    if row is None:
        raise NotFoundError("Member not found")
    return row


def find_person(workspace: Workspace, person_id: str) -> Membership:
    """The membership of a person, by their own id.

    Raises: NotFoundError.
    """
    wanted = parse_uuid(person_id)
    rows = Membership.objects.filter(workspace=workspace).select_related("user", "workspace")
    row = rows.filter(user=wanted).first() if wanted else None
    if row is None:
        raise NotFoundError("User not found")
    return row


def open_invitations(workspace: Workspace, *, now: datetime) -> list[Invitation]:
    """Invitations that can still be used, the newest first."""
    rows = _alive(now).filter(workspace=workspace)
    return list(rows.select_related("created_by").order_by("-created_at", "-id")[:MOST_SHOWN])


def find_invitation(workspace: Workspace, invitation_id: uuid.UUID) -> Invitation:
    """Raises: NotFoundError."""
    rows = Invitation.objects.filter(workspace=workspace).select_related("workspace")
    row = rows.filter(pk=invitation_id).first()
    if row is None:
        raise NotFoundError("Invitation not found")
    return row


def invitation_for_token(token: str, *, now: datetime) -> Invitation | None:
    """The invitation that a link names, while it can be used."""
    rows = _alive(now).select_related("workspace", "created_by")
    return rows.filter(token_hash=hash_token(token)).first()


def _alive(now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)


def sessions_of(user: User) -> QuerySet[Session]:
    """A person's own sessions, the last used first. Pages get sessions from here."""
    return Session.objects.filter(user=user).order_by("-last_seen_at", "-id")


def find_session(user: User, session_id: uuid.UUID) -> Session:
    """Raises: NotFoundError."""
    row = sessions_of(user).filter(pk=session_id).first()
    if row is None:
        raise NotFoundError(_("You have no such session."))
    return row
