"""Reads about people and keys."""

import hmac
from datetime import datetime

from accounts.models import ApiKey, Membership, User, hash_key


def key_for_clear_text(clear: str, *, now: datetime) -> ApiKey | None:
    """Find the usable key for what a caller showed: known, not revoked, not expired."""
    hashed = hash_key(clear)
    row = ApiKey.objects.select_related("workspace").filter(key_hash=hashed).first()
    if row is None or not hmac.compare_digest(row.key_hash, hashed):
        return None
    ended = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now)
    return None if ended else row


def memberships_of(user: User) -> list[Membership]:
    """A person's workspaces, the oldest membership first."""
    return list(
        Membership.objects.filter(user=user).select_related("workspace").order_by("created_at")
    )
