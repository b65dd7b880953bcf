"""Writes about API keys: issued, used, rotated, revoked."""

import secrets
import uuid
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.errors import RefusedError
from accounts.key_memory import forget_keys
from accounts.models import KEY_PREFIX_LENGTH, ApiKey, User, Workspace, hash_key

KEY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_START = "hp_"
RANDOM_LENGTH, CHECKSUM_LENGTH = 30, 6
LAST_USED_PRECISION = timedelta(minutes=5)


@dataclass(frozen=True)
class IssuedKey:
    """A new key: the row, and the clear text that is shown once and kept nowhere."""

    row: ApiKey
    clear: str


def _base62(number: int, length: int) -> str:
    digits = ""
    for _place in range(length):
        number, remainder = divmod(number, len(KEY_ALPHABET))
        digits = KEY_ALPHABET[remainder] + digits
    return digits


def _checksum(random_part: str) -> str:
    return _base62(zlib.crc32(random_part.encode()), CHECKSUM_LENGTH)


def generate_key() -> str:
    """`hp_`, 30 random base62 characters (178 bits), and their CRC-32 as 6 more."""
    random_part = "".join(secrets.choice(KEY_ALPHABET) for _ in range(RANDOM_LENGTH))
    return f"{KEY_START}{random_part}{_checksum(random_part)}"


def is_well_formed(key: str) -> bool:
    """Whether a key can exist: Placet's `hp_` + 48 hex has no checksum, ours has to fit its own."""
    if not key.startswith(KEY_START):
        return False
    body = key.removeprefix(KEY_START)
    if len(body) != RANDOM_LENGTH + CHECKSUM_LENGTH:
        return bool(body)
    return _checksum(body[:RANDOM_LENGTH]) == body[RANDOM_LENGTH:]


def issue_key(
    *,
    workspace: Workspace,
    created_by: User | None,
    label: str,
    clear: str | None = None,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Create a key. `clear` takes a key that somebody already holds, such as an imported one."""
    clear = clear or generate_key()
    row = ApiKey.objects.create(
        workspace=workspace,
        created_by=created_by,
        label=label,
        key_hash=hash_key(clear),
        key_prefix=clear[:KEY_PREFIX_LENGTH],
        expires_at=expires_at,
    )
    return IssuedKey(row=row, clear=clear)


class KeyMadeError(RefusedError):
    """The form was sent twice: its key exists, and is never shown again."""

    code = "key_made"


@transaction.atomic
def issue_key_once(
    *,
    form_id: uuid.UUID,
    workspace: Workspace,
    created_by: User,
    label: str,
    expires_at: datetime | None,
) -> IssuedKey:
    """Create a key for one rendering of a form, so that a page sent twice makes one key.

    Raises: KeyMadeError.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if ApiKey.objects.filter(workspace=workspace, form_id=form_id).exists():
        raise KeyMadeError(_("This key was made already, and is shown only once."))
    issued = issue_key(
        workspace=workspace, created_by=created_by, label=label, expires_at=expires_at
    )
    ApiKey.objects.filter(pk=issued.row.pk).update(form_id=form_id)
    return issued


class KeyEndedError(RefusedError):
    """The key was revoked, expired or replaced, so that nothing can take its place."""

    code = "key_ended"


@transaction.atomic
def rotate_key(key: ApiKey, *, by: User, overlap: timedelta, now: datetime) -> IssuedKey:
    """Make a key that takes another one's place, which still works as long as `overlap` says.

    1. The old row is locked: of two rotations at once, the second finds it replaced.
    2. The new key has its label, and lives as long as it was to live.
    3. The old key ends now, or after the overlap; never later than it would have anyway.

    Raises: KeyEndedError.
    """
    old = ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if old.replaced_by_id is not None or not old.works_at(now):
        raise KeyEndedError(_("This key was replaced, revoked or has expired already."))
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    issued = issue_key(
        workspace=old.workspace,
        created_by=by,
        label=old.label,
        expires_at=None if lifetime is None else now + lifetime,
    )
    old.replaced_by = issued.row
    if overlap:
        old.expires_at = min(now + overlap, old.expires_at or now + overlap)
    else:
        old.revoked_at = now
    old.save(update_fields=["replaced_by", "expires_at", "revoked_at"])
    return issued


def revoke_key(key: ApiKey, *, now: datetime) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    forget_keys()


def note_key_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that a key was used, at most once in five minutes."""
    if key.last_used_at is not None and key.last_used_at > now - LAST_USED_PRECISION:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    key.last_used_at = now
