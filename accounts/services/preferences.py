"""Writes about a person's own account: how pages behave for them, password, sessions."""

from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import User

PREFERENCES = frozenset(
    {
        "display_name",
        "language",
        "time_zone",
        "theme",
        "density",
        "after_answer",
        "single_keys",
        "own_keys",
        "enter_sends",
    }
)


def change_preferences(user: User, **changes: Any) -> User:
    """Change some of PREFERENCES; what is not given stays, also if it changed meanwhile."""
    unknown = changes.keys() - PREFERENCES
    if unknown:
        raise TypeError(f"no preferences: {sorted(unknown)}")
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    return user


def change_password(user: User, *, password: str) -> User:
    """Set a new password, which ends every session that was signed with the old one."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    return user


@transaction.atomic
def end_sessions(user: User) -> None:
    """Sign a person out everywhere, at the next request of each session."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])
