"""API keys: `x-api-key` in any case, or `Authorization: Bearer`. Cookies are never looked at."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.addresses import address_of_request
from accounts.key_memory import key_good_lately
from accounts.models import ApiKey
from accounts.queries import key_for_clear_text
from accounts.services import is_well_formed, note_key_use
from api.throttling import note_bad_attempt, refuse_guessing

MISSING = "Missing or invalid API key"
UNKNOWN = "Invalid API key"
LONGEST_KEY = 200


def key_in_headers(headers: Mapping[str, str]) -> str:
    """The key a caller shows. `headers` has lower-case names.

    Raises: AuthenticationFailed when there is none, or two that differ.
    """
    direct = headers.get("x-api-key", "").strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    if direct and bearer and direct != bearer:
        raise AuthenticationFailed(MISSING)
    shown = direct or bearer
    if not shown.startswith("hp_") or len(shown) > LONGEST_KEY:
        raise AuthenticationFailed(MISSING)
    return shown


def authenticate_headers(
    headers: Mapping[str, str],
    *,
    address: str,
    now: datetime,
    find: Callable[..., ApiKey | None] = key_for_clear_text,
) -> ApiKey:
    """Find the key that a request from `address` carries, and note that it was used.

    What may last, such as a socket, looks for it in the database; short calls may remember it.

    Raises: AuthenticationFailed, with the same text for unknown, revoked and expired keys;
    Throttled for an address that tried too many of them.
    """
    refuse_guessing(address)
    try:
        key = _key_shown(headers, now, find)
    except AuthenticationFailed:
        note_bad_attempt(address)
        raise
    note_key_use(key, now=now)
    return key


def _key_shown(
    headers: Mapping[str, str], now: datetime, find: Callable[..., ApiKey | None]
) -> ApiKey:
    shown = key_in_headers(headers)
    key = find(shown, now=now) if is_well_formed(shown) else None
    if key is None:
        raise AuthenticationFailed(UNKNOWN)
    return key


class ApiKeyAuthentication(BaseAuthentication):
    """Every agent route: without a good key there is a 401 and nothing else."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        meta = request._request.META  # noqa: SLF001  # the way through DRF's request is long
        headers = {
            "x-api-key": meta.get("HTTP_X_API_KEY", ""),
            "authorization": meta.get("HTTP_AUTHORIZATION", ""),
        }
        return None, authenticate_headers(
            headers, address=address_of_request(meta), now=timezone.now(), find=key_good_lately
        )

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="licet"'
