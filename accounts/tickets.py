"""Tickets: what a signed-in person's browser shows to open a socket, within a minute.

A ticket is signed with a salt of its own, so nothing else that this server signs opens a socket,
and a ticket opens nothing else. It is bound to what the person signed in with, a session or a
token, and to the password: ending the one and changing the other ends what it opened.
"""

import uuid
from dataclasses import dataclass

from django.core import signing

from accounts.models import User

SALT = "accounts.tickets.socket"
LIVES_SECONDS = 60


@dataclass(frozen=True)
class Bearer:
    """Who shows a ticket, and the session or token that they got it with, which may have ended."""

    user: User
    session_id: uuid.UUID


def issue_ticket(user: User, session_id: uuid.UUID) -> str:
    said = {
        "user": str(user.pk),
        "session": str(session_id),
        "password": user.get_session_auth_hash(),
    }
    return signing.dumps(said, salt=SALT)


def bearer_of(ticket: str) -> Bearer | None:
    """The active person whom a ticket was issued to, or None for any other text."""
    try:
        said = signing.loads(ticket, salt=SALT, max_age=LIVES_SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=said["user"], is_active=True).first()
    if user is None or said["password"] != user.get_session_auth_hash():
        return None
    return Bearer(user, uuid.UUID(said["session"]))
