"""Which methods and header lines somebody else may ask us to send."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from .errors import EgressRefusedError

METHODS = frozenset({"POST", "PUT", "PATCH"})
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,4096}")
MOST_HEADERS = 20
MOST_HEADER_BYTES = 8192
JSON_TYPE = re.compile(r"application/([\w.+-]+\+)?json(\s*;.*)?", re.IGNORECASE)
OURS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "cookie",
        "forwarded",
        "x-real-ip",
        "user-agent",
        "content-encoding",
        "accept-encoding",
        "metadata-flavor",
    }
)
OURS_BY_START = (
    "proxy-",
    "webhook-",
    "x-licet-",
    "x-forwarded-",
    "x-amz-",
    "x-goog-",
    "x-google-",
    "x-azure-",
    "x-aws-ec2-metadata-token",
)


def check_method(method: str) -> str:
    """Raises: EgressRefusedError."""
    if method.upper() not in METHODS:
        raise EgressRefusedError(f"method must be one of {', '.join(sorted(METHODS))}")
    return method.upper()


def check_headers(headers: Mapping[str, str], *, any_type: bool = False) -> None:
    """Refuse header names and values that could change the meaning of the request.

    `any_type` lets the body be something else than JSON.

    Raises: EgressRefusedError.
    """
    total = sum(len(name) + len(value) for name, value in headers.items())
    if len(headers) > MOST_HEADERS or total > MOST_HEADER_BYTES:
        limits = {"number": MOST_HEADERS, "size": MOST_HEADER_BYTES}
        raise EgressRefusedError(
            _("at most %(number)d headers of %(size)d bytes together") % limits
        )
    for name, value in headers.items():
        _check_name(name)
        _check_value(name, value)
        if name.lower() == "content-type" and not (any_type or JSON_TYPE.fullmatch(value)):
            raise EgressRefusedError(_("content-type must be a JSON type"))


def _check_name(name: str) -> None:
    if not HEADER_NAME.fullmatch(name):
        raise EgressRefusedError(_("%(name)r is no header name") % {"name": name})
    if name.lower() in OURS or name.lower().startswith(OURS_BY_START):
        raise EgressRefusedError(_("header %(name)s cannot be set") % {"name": name})


def _check_value(name: str, value: str) -> None:
    if not HEADER_VALUE.fullmatch(value):
        raise EgressRefusedError(
            _("header %(name)s has a character that is not allowed, or is too long")
            % {"name": name}
        )
    if value[:1].isspace():  # the client refuses it at every attempt; better said once
        raise EgressRefusedError(_("header %(name)s begins with a space") % {"name": name})
