"""Secrets at rest: AES-256-GCM under keys derived from `SECRET_KEY`.

A stored value is one version byte, a 12-byte nonce, and the ciphertext with its tag.
"""

import functools
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

VERSION = b"\x01"
NONCE_BYTES = 12


class UndecryptableError(Exception):
    """No key in `SECRET_KEY` or `SECRET_KEY_FALLBACKS` opens the stored value."""


@functools.cache
def _cipher(secret: str) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"licet at rest").derive(
        secret.encode()
    )
    return AESGCM(key)


def encrypt(plain: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, plain, VERSION)


def decrypt(stored: bytes) -> bytes:
    """Open a stored value with the first key that fits.

    Raises: UndecryptableError.
    """
    nonce, sealed = stored[1 : 1 + NONCE_BYTES], stored[1 + NONCE_BYTES :]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(secret).decrypt(nonce, sealed, stored[:1])
        except InvalidTag:
            continue
    raise UndecryptableError("no key opens a stored secret: was SECRET_KEY changed?")


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]  # not subscriptable
    """Text in Python, ciphertext in the database. Cannot be searched."""

    def from_db_value(self, value: bytes | None, *_: object) -> str | None:
        return None if value is None else decrypt(bytes(value)).decode()

    def get_prep_value(self, value: str | None) -> bytes | None:
        return None if value is None else encrypt(value.encode())

    def to_python(self, value: str | None) -> str | None:
        return value
