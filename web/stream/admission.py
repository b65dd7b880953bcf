"""Who may listen, and whether they still may. Reads only: a stream never renews a session."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.ids import parse_uuid
from accounts.models import Membership, Session, User, hash_token
from accounts.sessions import data_of

AT_ONCE = 500


@dataclass(frozen=True)
class Visitor:
    """A signed-in person in the workspace that the pages show them; None without one.

    `device` is the browser's subscription to notifications, if it has one, as it was when asked.
    """

    session_key: str
    user_id: uuid.UUID
    workspace_id: uuid.UUID | None
    device: uuid.UUID | None = field(default=None, compare=False)


def is_known_host(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether another site's page asks. Who is no browser sends neither header."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return False
    host = headers.get("host", "")
    return origin not in {f"https://{host}", f"http://{host}"}


def visitor_of(cookies: str) -> Visitor | None:
    """The person whose session a Cookie header shows."""
    session_key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    return _visitors([session_key]).get(session_key) if session_key else None


def turned_away(visitors: Collection[Visitor]) -> set[Visitor]:
    """Those who signed out, were locked out, changed their password or left the workspace."""
    known: dict[str, Visitor] = {}
    for keys in batched({each.session_key for each in visitors}, AT_ONCE):
        known |= _visitors(keys)
    return {each for each in visitors if known.get(each.session_key) != each}


def _visitors(session_keys: Iterable[str]) -> dict[str, Visitor]:
    """By session key, those whose session and account are good, in three statements."""
    by_hash = {hash_token(key): key for key in session_keys}
    live = Session.objects.filter(key_hash__in=by_hash, expires_at__gt=timezone.now())
    sessions = {by_hash[each.key_hash]: each for each in live}
    signed_in = {key: data_of(session) for key, session in sessions.items()}
    ids = {
        key: user_id
        for key, said in signed_in.items()
        if (user_id := parse_uuid(str(said.get(SESSION_KEY, ""))))
    }
    users = User.objects.filter(is_active=True).in_bulk(set(ids.values()))
    homes = _homes(users)
    return {
        key: Visitor(key, user_id, homes.get(user_id), sessions[key].push_device)
        for key, user_id in ids.items()
        if user_id in users and _is_own(users[user_id], signed_in[key].get(HASH_SESSION_KEY, ""))
    }


def _is_own(user: User, shown: str) -> bool:
    """Whether the session was opened with the password as it is now."""
    good = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(shown, each) for each in good)


def _homes(user_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Each person's oldest membership: the workspace that the pages show."""
    memberships = Membership.objects.filter(user_id__in=list(user_ids)).order_by("-created_at")
    return dict(memberships.values_list("user_id", "workspace_id"))
