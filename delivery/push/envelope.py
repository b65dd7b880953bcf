"""A notification as a request: encrypted for one device, signed by this server."""

import base64
import uuid
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from py_vapid.jwt import sign

from delivery import egress
from delivery.models import Push, PushKey, PushSubscription

SIGNATURE_LIVES = timedelta(hours=12)  # RFC 8292 allows 24 hours


def request_for(push: Push, *, now: datetime) -> egress.Request:
    """Everything that the push service of a device is told.

    Its time to live ends with what it is about, so nobody is called to a review that is over.
    """
    device = push.subscription
    return egress.Request(
        url=device.endpoint,
        method="POST",
        headers={},
        body=_encrypted(device, push.payload),
        trusted_headers={
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(max(int((push.expires_at - now).total_seconds()), 0)),
            "Urgency": "high" if push.is_urgent else "normal",
            "Topic": topic_of(push.about),
            **_signature(device.key, device.endpoint, now),
        },
    )


def topic_of(about: uuid.UUID) -> str:
    """A later push of the same topic replaces one that waits (RFC 8030, 5.4)."""
    return base64.urlsafe_b64encode(about.bytes).rstrip(b"=").decode()


def _encrypted(device: PushSubscription, payload: str) -> bytes:
    from pywebpush import WebPusher  # and with it all of aiohttp, where nobody may want a push

    keys = {"p256dh": device.p256dh, "auth": device.auth}
    pusher = WebPusher({"endpoint": device.endpoint, "keys": keys})
    body: bytes = pusher.encode(payload.encode(), "aes128gcm")["body"]
    return body


def _signature(key: PushKey, endpoint: str, now: datetime) -> dict[str, str]:
    claims = {
        "aud": _audience(endpoint),
        "exp": int((now + SIGNATURE_LIVES).timestamp()),
        "sub": settings.VAPID_SUBJECT,
    }
    scalar = base64.urlsafe_b64decode(f"{key.private_key}==")
    private = ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1())
    return {"Authorization": f"vapid t={sign(claims, private)}, k={key.public_key}"}


def _audience(endpoint: str) -> str:
    """The push service's origin, with a port only where it is not the usual one (RFC 6454)."""
    target = egress.parse_target(endpoint)
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = {"https": 443, "http": 80}[target.scheme]
    port = "" if target.port == usual else f":{target.port}"
    return f"{target.scheme}://{host}{port}"
