"""Signatures of Standard Webhooks 1.0.0: symmetric (`v1`) and asymmetric (`v1a`).

Signed is `id.timestamp.body`. `v1` is HMAC-SHA256 under the decoded secret, shown as `whsec_` and
standard base64. `v1a` is Ed25519; keys are shown as `whsk_` (private) and `whpk_` (public).
"""

import base64
import functools
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_BYTES = 32
SECRET_START = "whsec_"  # noqa: S105  # a prefix, not a secret
PRIVATE_START = "whsk_"
PUBLIC_START = "whpk_"


def new_secret() -> str:
    return SECRET_START + _base64(secrets.token_bytes(SECRET_BYTES))


def new_key_pair() -> tuple[str, str]:
    """A private and its public key, as they are shown."""
    key = Ed25519PrivateKey.generate()
    private = PRIVATE_START + _base64(key.private_bytes_raw())
    return private, PUBLIC_START + _base64(key.public_key().public_bytes_raw())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@functools.lru_cache(maxsize=1000)
def _private_key(shown: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(shown.removeprefix(PRIVATE_START)))


def symmetric(secret: str, content: bytes) -> str:
    """One `v1,<base64>` item."""
    key = base64.b64decode(secret.removeprefix(SECRET_START))
    return "v1," + _base64(hmac.new(key, content, hashlib.sha256).digest())


def asymmetric(private_key: str, content: bytes) -> str:
    """One `v1a,<base64>` item."""
    return "v1a," + _base64(_private_key(private_key).sign(content))


@dataclass(frozen=True)
class Signer:
    """Everything that signs for one scope: secrets and private keys, each with the newest first."""

    secrets: Sequence[str] = ()
    private_keys: Sequence[str] = ()

    def headers(self, *, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """The three headers of one attempt; every secret and key that still counts signs."""
        content = f"{event_id}.{timestamp}.".encode() + body
        items = [symmetric(secret, content) for secret in self.secrets]
        items += [asymmetric(key, content) for key in self.private_keys]
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(items),
        }
