"""Secrets of channels and key pairs of workspaces: made on first use, rotated with overlap."""

import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from delivery.models import Delivery, SigningKeyPair, SigningSecret
from delivery.signing import Signer, new_key_pair, new_secret

DEFAULT_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
MOST_OLD_ONES = 3


class RotationRefusedError(Exception):
    """A secret cannot be rotated like this; the text says why."""


def ensure_secret(*, workspace_id: uuid.UUID, scope: str) -> SigningSecret:
    """The live secret of a scope, made on first use."""
    secret, _created = SigningSecret.objects.get_or_create(
        scope=scope,
        expires_at=None,
        defaults={"workspace_id": workspace_id, "secret": new_secret()},
    )
    return secret


def ensure_key_pair(workspace_id: uuid.UUID) -> SigningKeyPair:
    """The live key pair of a workspace, made on first use."""
    private, public = new_key_pair()
    pair, _created = SigningKeyPair.objects.get_or_create(
        workspace_id=workspace_id,
        expires_at=None,
        defaults={"private_key": private, "public_key": public},
    )
    return pair


def _valid(now: datetime) -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=now)


NEWEST_FIRST = F("expires_at").desc(nulls_first=True)


def valid_secrets(scopes: Collection[str], *, now: datetime) -> QuerySet[SigningSecret]:
    """Every secret of these scopes that still signs, the live one first."""
    return SigningSecret.objects.filter(_valid(now), scope__in=scopes).order_by(NEWEST_FIRST)


def valid_key_pairs(
    workspaces: Collection[uuid.UUID], *, now: datetime
) -> QuerySet[SigningKeyPair]:
    """Every key pair of these workspaces that still signs, the live one first."""
    pairs = SigningKeyPair.objects.filter(_valid(now), workspace_id__in=workspaces)
    return pairs.order_by(NEWEST_FIRST)


REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 10_000


class Signers:
    """Who signs for which scope. What was read is good for a second, then a rotation shows."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Signer]] = {}

    def of(self, deliveries: Iterable[Delivery], *, now: datetime) -> dict[str, Signer]:
        """The signer of each delivery's scope, by scope."""
        oldest = time.monotonic() - REMEMBERED_SECONDS
        owners = {row.signing_scope: row.event.workspace_id for row in deliveries}
        known = {
            scope: entry[1]
            for scope in owners
            if (entry := self._known.get(scope)) and entry[0] > oldest
        }
        missing = {scope: owner for scope, owner in owners.items() if scope not in known}
        return known | self._read(missing, now) if missing else known

    def _read(self, owners: Mapping[str, uuid.UUID], now: datetime) -> dict[str, Signer]:
        found = _signers_of(owners, now)
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        self._known |= {scope: (time.monotonic(), signer) for scope, signer in found.items()}
        return found


def _signers_of(workspaces: Mapping[str, uuid.UUID], now: datetime) -> dict[str, Signer]:
    """Read from the database, and make what is missing."""
    secrets: dict[str, list[str]] = defaultdict(list)
    for secret in valid_secrets(workspaces, now=now):
        secrets[secret.scope].append(str(secret.secret))
    pairs: dict[uuid.UUID, list[str]] = defaultdict(list)
    for pair in valid_key_pairs(set(workspaces.values()), now=now):
        pairs[pair.workspace_id].append(str(pair.private_key))
    for scope, owner in workspaces.items():
        if not secrets[scope]:
            secrets[scope] = [str(ensure_secret(workspace_id=owner, scope=scope).secret)]
        if not pairs[owner]:
            pairs[owner] = [str(ensure_key_pair(owner).private_key)]
    return {scope: Signer(secrets[scope], pairs[owner]) for scope, owner in workspaces.items()}


@transaction.atomic
def rotate_secret(
    *, workspace_id: uuid.UUID, scope: str, overlap: timedelta, now: datetime
) -> SigningSecret:
    """Make a new live secret; the one before signs beside it until `overlap` has passed.

    An overlap of zero is for a secret that somebody else has seen: it ends at once, and so do
    older ones.

    Raises: RotationRefusedError.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise RotationRefusedError(
            f"The overlap must be between 0 and {LONGEST_OVERLAP.total_seconds() / 3600:g} hours"
        )
    secrets = SigningSecret.objects.select_for_update().filter(scope=scope)
    old = [row for row in secrets if row.expires_at is not None and row.expires_at > now]
    if overlap and len(old) >= MOST_OLD_ONES:
        raise RotationRefusedError(
            f"{MOST_OLD_ONES} older secrets still count; wait until one has ended, or end them all "
            "with an overlap of 0"
        )
    if not overlap:
        secrets.exclude(expires_at=None).update(expires_at=now)
    secrets.filter(expires_at=None).update(expires_at=now + overlap)
    return ensure_secret(workspace_id=workspace_id, scope=scope)


@transaction.atomic
def rotate_key_pair(
    *, workspace_id: uuid.UUID, overlap: timedelta, now: datetime
) -> SigningKeyPair:
    """Make a new live key pair; the one before signs beside it until `overlap` has passed."""
    live = SigningKeyPair.objects.select_for_update().filter(
        workspace_id=workspace_id, expires_at=None
    )
    live.update(expires_at=now + overlap)
    return ensure_key_pair(workspace_id)
