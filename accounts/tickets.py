"""Tickets: what a signed-in person's browser shows to open a socket, within a minute.

A ticket is signed with a salt of its own, so nothing else that this server signs opens a socket,
and a ticket opens nothing else. It is bound to the session and to the password: ending the one
and changing the other ends what it opened.
"""

import uuid
from dataclasses import dataclass

from django.core import signing
from django.utils import timezone

from accounts.models import Session, User

SALT = "accounts.tickets.socket"
LIVES_SECONDS = 60


@dataclass(frozen=True)
class Bearer:
    """Who shows a ticket, and in which session they got it."""

    user: User
    session_id: uuid.UUID


def issue_ticket(user: User, session: Session) -> str:
    said = {
        "user": str(user.pk),
        "session": str(session.pk),
        "password": user.get_session_auth_hash(),
    }
    return signing.dumps(said, salt=SALT)


def bearer_of(ticket: str) -> Bearer | None:
    """The active person whom a ticket was issued to, or None for any other text."""
    try:
        said = signing.loads(ticket, salt=SALT, max_age=LIVES_SECONDS)
    except signing.BadSignature:
        return None
    live = Session.objects.filter(
        pk=said["session"], user=said["user"], user__is_active=True, expires_at__gt=timezone.now()
    )
    session = live.select_related("user").first()
    if session is None or session.user is None:
        return None
    if said["password"] != session.user.get_session_auth_hash():
        return None
    return Bearer(session.user, session.pk)
