"""The other end of a push: what a browser keeps secret, and what a push service is told."""

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts.models import User
from delivery.models import PushSubscription
from delivery.push.subscriptions import Offer, subscribe
from tests.receiver import Received


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Browser:
    """What a browser makes when it subscribes: a key pair and a secret of 16 bytes."""

    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": base64url(point(self.private)), "auth": base64url(self.auth)}

    def offer(self, endpoint: str) -> Offer:
        return Offer(endpoint=endpoint, **self.keys)

    def read(self, request: Received) -> Any:
        """What a push says, opened by the library and by the RFC's own steps; both must agree."""
        by_library = http_ece.decrypt(
            request.body, private_key=self.private, auth_secret=self.auth, version="aes128gcm"
        )
        assert by_library == self._opened(request.body)
        return json.loads(by_library)

    def _opened(self, body: bytes) -> bytes:
        """RFC 8291, section 3.4, and RFC 8188, section 2: one record of `aes128gcm`."""
        salt, record_size, id_length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + id_length], body[21 + id_length :]
        assert len(sealed) <= record_size
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.private.exchange(ec.ECDH(), theirs)
        info = b"WebPush: info\0" + point(self.private) + sender
        secret = _derived(self.auth, shared, info, 32)
        key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None)
        content, delimiter = padded.rstrip(b"\0")[:-1], padded.rstrip(b"\0")[-1:]
        assert delimiter == b"\x02"  # the last record
        return content


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def verified_claims(request: Received, public_key: str) -> dict[str, Any]:
    """The claims of a push's VAPID token, after its signature was checked (RFC 8292, RFC 7518)."""
    scheme, _, parameters = request.headers["authorization"].partition(" ")
    given = dict(pair.strip().split("=", 1) for pair in parameters.split(","))
    assert scheme == "vapid"
    assert given["k"] == public_key
    head, claims, signature = given["t"].split(".")
    assert json.loads(unbase64url(head)) == {"typ": "JWT", "alg": "ES256"}
    raw = unbase64url(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unbase64url(public_key))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    found: dict[str, Any] = json.loads(unbase64url(claims))
    return found


def make_device(
    user: User, endpoint: str, now: datetime, browser: Browser | None = None
) -> PushSubscription:
    offer = (browser or Browser()).offer(endpoint)
    return subscribe(user, offer=offer, label="Firefox on Linux", now=now)
