"""Writes about people, workspaces and keys."""

import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import KEY_PREFIX_LENGTH, ApiKey, Membership, Role, User, Workspace, hash_key

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
    for _ in range(length):
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
    *, workspace: Workspace, created_by: User | None, label: str, clear: str | None = None
) -> IssuedKey:
    """Create a key. `clear` takes a key that somebody already holds, such as an imported one."""
    clear = clear or generate_key()
    row = ApiKey.objects.create(
        workspace=workspace,
        created_by=created_by,
        label=label,
        key_hash=hash_key(clear),
        key_prefix=clear[:KEY_PREFIX_LENGTH],
    )
    return IssuedKey(row=row, clear=clear)


def revoke_key(key: ApiKey, *, now: datetime) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def note_key_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that a key was used, at most once in five minutes."""
    if key.last_used_at is not None and key.last_used_at > now - LAST_USED_PRECISION:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


@transaction.atomic
def create_owner(*, email: str, password: str, workspace_name: str) -> Membership:
    """Create the first person of a new workspace: its owner, who is an operator too."""
    owner = User.objects.create_superuser(email, password)
    workspace = Workspace.objects.create(name=workspace_name)
    return Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
