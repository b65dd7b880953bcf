"""Tokens of people who signed in: issued, shown, renewed, ended.

A token is a row, so it can be ended, which a signed statement cannot. It also carries the
person's session hash: a new password or the end of all sessions ends it, wherever that was done.
A browser that was subscribed with it is notified no more when it was ended; one that only expired
leaves the notifications on, so that no review goes unnoticed.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import User, hash_token
from api.models import PersonToken
from delivery.models import PushSubscription

TOKEN_START = "lp_"  # noqa: S105  # what tokens begin with
TOKEN_BYTES = 32
LONGEST_TOKEN = 100
LIVES = timedelta(days=7)
# What was sent with a token before it was renewed still arrives.
RENEWED_LIVES = timedelta(seconds=60)
LAST_USED_PRECISION = timedelta(minutes=5)
BATCH = 500


@dataclass(frozen=True)
class IssuedToken:
    """A new token: the row, and the clear text that is kept nowhere."""

    row: PersonToken
    clear: str


def issue_token(user: User, *, now: datetime, device: UUID | None = None) -> IssuedToken:
    clear = TOKEN_START + secrets.token_urlsafe(TOKEN_BYTES)
    row = PersonToken.objects.create(
        user=user,
        token_hash=hash_token(clear),
        session=user.get_session_auth_hash(),
        created_at=now,
        expires_at=now + LIVES,
        push_device=device,
    )
    return IssuedToken(row, clear)


def find_token(clear: str, *, now: datetime) -> PersonToken | None:
    """The token that opens something now, with its person; None for any other text."""
    if not clear.startswith(TOKEN_START) or len(clear) > LONGEST_TOKEN:
        return None
    rows = PersonToken.objects.select_related("user").filter(expires_at__gt=now)
    row = rows.filter(token_hash=hash_token(clear), user__is_active=True).first()
    if row is None or not hmac.compare_digest(row.session, row.user.get_session_auth_hash()):
        return None
    return row


def note_token_use(token: PersonToken, *, now: datetime) -> None:
    """Remember that a token was used, at most once in five minutes."""
    if token.last_used_at is not None and token.last_used_at > now - LAST_USED_PRECISION:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
    PersonToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


@transaction.atomic
def renew_token(token: PersonToken, *, now: datetime) -> IssuedToken:
    """A new token in place of one, which ends a minute later at the latest."""
    soon = now + RENEWED_LIVES
    PersonToken.objects.filter(pk=token.pk, expires_at__gt=soon).update(expires_at=soon)
    return issue_token(token.user, now=now, device=token.push_device)


def notify_with(token: PersonToken, device: PushSubscription) -> None:
    """The device is notified as long as nobody ends the token."""
    PersonToken.objects.filter(pk=token.pk).update(push_device=device.pk)


@transaction.atomic
def end_token(token: PersonToken) -> None:
    _end([token])


def _end(tokens: Sequence[PersonToken], *, keeping: UUID | None = None) -> int:
    """Remove tokens, and the devices that were subscribed with them except one to keep."""
    devices = {token.push_device for token in tokens if token.push_device} - {keeping}
    if devices:
        owners = {token.user_id for token in tokens}
        PushSubscription.objects.filter(pk__in=devices, user__in=owners).delete()
    return PersonToken.objects.filter(pk__in=[token.pk for token in tokens]).delete()[0]


@transaction.atomic
def keep_only(token: PersonToken) -> None:
    """After a new password: this token goes on, the person's others are gone."""
    others = PersonToken.objects.filter(user=token.user_id).exclude(pk=token.pk)
    _end(list(others), keeping=token.push_device)
    session = token.user.get_session_auth_hash()
    PersonToken.objects.filter(pk=token.pk).update(session=session)


def forget_tokens(now: datetime) -> int:
    """Remove some that have expired; the next tick goes on. Returns how many.

    And those with a device that something else ended meanwhile, such as a new password on a page.
    """
    expired = PersonToken.objects.filter(expires_at__lte=now).order_by("expires_at")
    ids = list(expired.values_list("pk", flat=True)[:BATCH])
    return PersonToken.objects.filter(pk__in=ids).delete()[0] + _end(_ended_elsewhere(now))


def _ended_elsewhere(now: datetime) -> list[PersonToken]:
    notified = PersonToken.objects.filter(push_device__isnull=False, expires_at__gt=now)
    return [
        token
        for token in notified.select_related("user")
        if not hmac.compare_digest(token.session, token.user.get_session_auth_hash())
    ]
