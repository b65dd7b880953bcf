"""Tickets: what a signed-in person's browser shows to open a socket, within a minute.

A ticket is signed with a salt of its own, so nothing else that this server signs opens a socket,
and a ticket opens nothing else. It is bound to the password: changing it ends what it opened.
"""

from django.core import signing

from accounts.models import User

SALT = "accounts.tickets.socket"
LIVES_SECONDS = 60


def issue_ticket(user: User) -> str:
    return signing.dumps({"user": str(user.pk), "session": user.get_session_auth_hash()}, salt=SALT)


def person_of(ticket: str) -> User | None:
    """The active person whom a ticket was issued to, or None for any other text."""
    try:
        said = signing.loads(ticket, salt=SALT, max_age=LIVES_SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=said["user"], is_active=True).first()
    if user is None or said["session"] != user.get_session_auth_hash():
        return None
    return user
