"""Secrets of channels and key pairs of workspaces: made on first use, rotated with overlap."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Workspace
from delivery import statements
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


def secrets_of(*, workspace_id: uuid.UUID, scope: str, now: datetime) -> list[SigningSecret]:
    """What checks a scope's signatures, the live secret first; it is made on first use."""
    ensure_secret(workspace_id=workspace_id, scope=scope)
    return list(valid_secrets([scope], now=now))


def key_pairs_of(workspace_id: uuid.UUID, *, now: datetime) -> list[SigningKeyPair]:
    """The same for a workspace's key pairs."""
    ensure_key_pair(workspace_id)
    return list(valid_key_pairs([workspace_id], now=now))


def signers_of(deliveries: Iterable[Delivery]) -> dict[str, Signer]:
    """Who signs for each delivery's scope, by scope; what is missing is made."""
    workspaces = {delivery.signing_scope: delivery.event.workspace_id for delivery in deliveries}
    owners = set(workspaces.values())
    secrets, pairs = statements.signing_keys(workspaces, owners)
    if workspaces.keys() - secrets.keys() or owners - pairs.keys():
        _make_missing({scope: workspaces[scope] for scope in workspaces.keys() - secrets.keys()})
        for owner in owners - pairs.keys():
            ensure_key_pair(owner)
        secrets, pairs = statements.signing_keys(workspaces, owners)
    return {scope: Signer(secrets[scope], pairs[owner]) for scope, owner in workspaces.items()}


def _make_missing(owners: Mapping[str, uuid.UUID]) -> None:
    """A live secret for each of these scopes, unless somebody makes it at this moment.

    Sorted: two who make the same in different orders would wait for each other.
    """
    SigningSecret.objects.bulk_create(
        [
            SigningSecret(workspace_id=owner, scope=scope, secret=new_secret())
            for scope, owner in sorted(owners.items())
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def rotate_secret(
    *, workspace_id: uuid.UUID, scope: str, overlap: timedelta, now: datetime
) -> SigningSecret:
    """Make a new live secret; the one before signs beside it until `overlap` has passed.

    An overlap of zero is for a secret that somebody else has seen: it ends at once, and so do
    older ones.

    Raises: RotationRefusedError.
    """
    _lock_rotations(workspace_id)
    _end(SigningSecret.objects.filter(scope=scope), overlap, now)
    return ensure_secret(workspace_id=workspace_id, scope=scope)


@transaction.atomic
def rotate_key_pair(
    *, workspace_id: uuid.UUID, overlap: timedelta, now: datetime
) -> SigningKeyPair:
    """The same for a workspace's key pair.

    Raises: RotationRefusedError.
    """
    _lock_rotations(workspace_id)
    _end(SigningKeyPair.objects.filter(workspace_id=workspace_id), overlap, now)
    return ensure_key_pair(workspace_id)


def _lock_rotations(workspace_id: uuid.UUID) -> None:
    """One at a time: two that count the older ones together would both find room for one more."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)


def _end[M: (SigningSecret, SigningKeyPair)](
    rows: QuerySet[M], overlap: timedelta, now: datetime
) -> None:
    """Let the live one end after the overlap; without one, all that still count end now.

    Raises: RotationRefusedError.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        hours = LONGEST_OVERLAP // timedelta(hours=1)
        raise RotationRefusedError(f"the overlap must be between 0 and {hours} hours")
    old = rows.filter(expires_at__gt=now)
    if overlap and old.count() >= MOST_OLD_ONES:
        raise RotationRefusedError(
            f"{MOST_OLD_ONES} older ones still count; wait until one has ended, or end them all "
            "with an overlap of 0"
        )
    if not overlap:
        old.update(expires_at=now)
    rows.filter(expires_at=None).update(expires_at=now + overlap)
