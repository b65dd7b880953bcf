"""Signatures of Standard Webhooks 1.0.0, symmetric form (`v1`).

Signed is `id.timestamp.body`, with HMAC-SHA256 under the decoded secret. Secrets are shown as
`whsec_` and standard base64.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

SECRET_BYTES = 32
SECRET_START = "whsec_"  # noqa: S105  # a prefix, not a secret


def new_secret() -> str:
    return SECRET_START + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, *, event_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,<base64>` item."""
    key = base64.b64decode(secret.removeprefix(SECRET_START))
    content = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def signed_headers(
    secrets_newest_first: Sequence[str], *, event_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of one attempt; every secret that still counts signs."""
    items = [
        signature(secret, event_id=event_id, timestamp=timestamp, body=body)
        for secret in secrets_newest_first
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(items),
    }
