"""Where files are stored: a folder, or a bucket of an S3 server that the environment names."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

type Env = Callable[[str, str], str]

KEPT_HOURS = "24"
MOST_DIGITS = 9

FOLDER = "attachments.backends.local.LocalObjects"
BUCKET = "attachments.backends.s3.S3Objects"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
STYLES = ("path", "virtual", "auto")
# Servers of one's own want some name, and this is the one they take.
USUAL_REGION = "us-east-1"


def file_storage(env: Env, folder: Path) -> dict[str, object]:
    """The storage of Django's `STORAGES`: S3 where a bucket is named.

    Raises: ImproperlyConfigured, in one line, for settings that cannot be meant.
    """
    bucket = env("S3_BUCKET", "")
    if bucket:
        return {"BACKEND": BUCKET, "OPTIONS": _bucket(env, bucket)}
    for name in ("S3_ENDPOINT_URL", "S3_PUBLIC_URL", "S3_ACCESS_KEY_ID"):
        if env(name, ""):
            raise ImproperlyConfigured(f"{name} is set, but S3_BUCKET names no bucket.")
    return {"BACKEND": FOLDER, "OPTIONS": {"location": folder}}


def _bucket(env: Env, bucket: str) -> dict[str, object]:
    if not BUCKET_NAME.fullmatch(bucket):
        raise ImproperlyConfigured(f"S3_BUCKET {bucket!r} cannot be the name of a bucket.")
    endpoint = _address(env, "S3_ENDPOINT_URL")
    key, secret = env("S3_ACCESS_KEY_ID", ""), env("S3_SECRET_ACCESS_KEY", "")
    if bool(key) != bool(secret):
        missing = "S3_SECRET_ACCESS_KEY" if key else "S3_ACCESS_KEY_ID"
        raise ImproperlyConfigured(f"{missing} is missing: a key has an id and a secret.")
    style = env("S3_ADDRESSING_STYLE", "path" if endpoint else "auto")
    if style not in STYLES:
        raise ImproperlyConfigured(f"S3_ADDRESSING_STYLE must be one of {', '.join(STYLES)}.")
    return {
        "bucket_name": bucket,
        "endpoint_url": endpoint,
        "region_name": env("S3_REGION", "") or (USUAL_REGION if endpoint else None),
        "access_key": key or None,  # then boto3 looks where it always does
        "secret_key": secret or None,
        "addressing_style": style,
        "public_url": _address(env, "S3_PUBLIC_URL"),
    }


def unlinked_files_kept(env: Env) -> timedelta:
    """How long a file waits for the message that it was stored for; 0 is for ever.

    Raises: ImproperlyConfigured.
    """
    return timedelta(hours=_count(env, "UNLINKED_FILES_KEPT_HOURS", KEPT_HOURS))


def storage_quota(env: Env) -> int:
    """Bytes that the files of one workspace may take together; 0 is as many as there is room for.

    Raises: ImproperlyConfigured.
    """
    return _count(env, "STORAGE_QUOTA_MB", "0") * 1024 * 1024


def _count(env: Env, name: str, default: str) -> int:
    text = env(name, default)
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _address(env: Env, name: str) -> str | None:
    address = env(name, "")
    parts = urlsplit(address)
    if address and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
        raise ImproperlyConfigured(f"{name} must be an http or https address, not {address!r}.")
    return address.rstrip("/") or None
