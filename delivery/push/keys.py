"""The key that this server shows to push services: made on first use, replaced by an operator."""

import base64

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction

from delivery.models import PushKey, PushSubscription

SCALAR_BYTES = 32


def live_key() -> PushKey:
    """The key that devices subscribe to now; its private half stays sealed."""
    keys = PushKey.objects.defer("private_key")
    key = keys.filter(is_live=True).first()
    if key is not None:
        return key
    private, public = _new_pair()
    key, _created = keys.get_or_create(
        is_live=True, defaults={"private_key": private, "public_key": public}
    )
    return key


@transaction.atomic
def rotate_key(*, forget_devices: bool) -> PushKey:
    """Make a new key for devices that subscribe from now on.

    The key before still signs for the devices that it has, until people switch notifications on
    again. `forget_devices` is for a key that somebody else has seen: nothing is sent with it any
    more.
    """
    PushKey.objects.filter(is_live=True).update(is_live=False)
    if forget_devices:
        PushSubscription.objects.all().delete()
    PushKey.objects.filter(is_live=False, subscriptions=None).delete()
    return live_key()


def _new_pair() -> tuple[str, str]:
    """Private and public half, as base64url without padding."""
    private = ec.generate_private_key(ec.SECP256R1())
    scalar = private.private_numbers().private_value.to_bytes(SCALAR_BYTES)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _base64url(scalar), _base64url(point)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
