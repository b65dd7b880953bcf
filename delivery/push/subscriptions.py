"""The devices of a person. What a browser says about itself is checked like a stranger's word."""

import base64
import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from delivery.egress import EgressRefusedError, check_url
from delivery.models import PushSubscription
from delivery.push.keys import live_key

MOST_DEVICES = 10
POINT_BYTES = 65
AUTH_BYTES = 16
SEALED = ("endpoint", "auth")
BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class SubscriptionRefusedError(Exception):
    """A device cannot be subscribed; the text says why."""


class TooManyDevicesError(SubscriptionRefusedError):
    """The person has as many devices as anybody may have."""


@dataclass(frozen=True)
class Offer:
    """What a browser gives to be reached by (Push API, `PushSubscription.toJSON`)."""

    endpoint: str
    p256dh: str
    auth: str

    def check(self) -> None:
        """Raises: SubscriptionRefusedError."""
        if not self.endpoint.lower().startswith("https://"):
            raise SubscriptionRefusedError(_("The endpoint must be an https address."))
        try:
            check_url(self.endpoint)
        except EgressRefusedError as refused:
            raise SubscriptionRefusedError(_("The endpoint's address is not allowed.")) from refused
        _check_point(_decoded(self.p256dh, "p256dh", POINT_BYTES))
        _decoded(self.auth, "auth", AUTH_BYTES)

    @property
    def endpoint_sha256(self) -> str:
        return endpoint_hash(self.endpoint)


def endpoint_hash(endpoint: str) -> str:
    """How an endpoint is found again: the page knows its own, and the database only this."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _decoded(text: str, name: str, length: int) -> bytes:
    """Raises: SubscriptionRefusedError."""
    bare = text.rstrip("=")
    is_base64url = bool(BASE64URL.fullmatch(bare)) and len(bare) % 4 != 1
    value = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)) if is_base64url else b""
    if len(value) != length:
        raise SubscriptionRefusedError(
            _("%(name)s must be %(length)d bytes in base64url.") % {"name": name, "length": length}
        )
    return value


def _check_point(point: bytes) -> None:
    """Raises: SubscriptionRefusedError."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise SubscriptionRefusedError(_("p256dh is no point on the curve P-256.")) from None


@transaction.atomic
def subscribe(user: User, *, offer: Offer, label: str, now: datetime) -> PushSubscription:
    """Notify a person on a device. A device that was somebody else's is theirs from now on.

    1. What the browser says is checked.
    2. The person is locked, so that two devices at once do not both find the last place.
    3. A device that changes hands starts anew: nothing meant for the other person reaches it.

    Raises: SubscriptionRefusedError, TooManyDevicesError.
    """
    offer.check()
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    others = PushSubscription.objects.exclude(endpoint_sha256=offer.endpoint_sha256)
    if others.filter(user=user).count() >= MOST_DEVICES:
        raise TooManyDevicesError(
            _("You have %(count)d devices. Remove one of them first.") % {"count": MOST_DEVICES}
        )
    same = PushSubscription.objects.filter(endpoint_sha256=offer.endpoint_sha256)
    same.exclude(user=user).delete()
    given = {
        "user": user,
        "key": live_key(),
        "endpoint": offer.endpoint,
        "p256dh": offer.p256dh.rstrip("="),
        "auth": offer.auth.rstrip("="),
        "label": label,
        "last_error": "",
    }
    device, _created = PushSubscription.objects.update_or_create(
        endpoint_sha256=offer.endpoint_sha256,
        defaults=given,
        create_defaults=given | {"created_at": now},
    )
    return device


def devices_of(user: User) -> QuerySet[PushSubscription]:
    """A person's own devices, the newest first. Pages get devices from here and nowhere else."""
    return PushSubscription.objects.filter(user=user).defer(*SEALED).order_by("-id")


def note_visible(devices: Iterable[uuid.UUID], *, until: datetime) -> None:
    """These devices show the pages right now: until then they are told nothing new."""
    PushSubscription.objects.filter(pk__in=list(devices)).update(visible_until=until)
