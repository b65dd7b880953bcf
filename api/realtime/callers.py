"""Who is at the other end of a socket, what they reach, and whether they still do."""

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import AuthenticationFailed, Throttled

from accounts.models import ApiKey, Membership, Session, User
from accounts.queries import memberships_of
from accounts.tickets import bearer_of
from api.authentication import authenticate_headers
from api.models import PersonToken
from inbox.models import Channel
from inbox.queries import ChannelNotFoundError, find_channel

EVENTS_PER_SECOND, BURST = 100.0, 200.0
PROVEN_SECONDS = 30.0
MOST_PROVEN = 1000


@dataclass(eq=False)
class Caller:
    """One socket: an agent's key, or a person with their workspaces."""

    workspaces: frozenset[uuid.UUID]
    key_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    password: str = ""
    rooms: set[str] = field(default_factory=set)
    _proven: dict[str, tuple[uuid.UUID, float]] = field(default_factory=dict)
    _allowance: float = BURST
    _counted_at: float = field(default_factory=time.monotonic)

    @property
    def is_agent(self) -> bool:
        return self.key_id is not None

    def may_send(self, now: float) -> bool:
        """Whether one more event is within the rate: a bucket that fills at 100 a second."""
        filled = self._allowance + (now - self._counted_at) * EVENTS_PER_SECOND
        self._allowance, self._counted_at = min(filled, BURST), now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def proven(self, spelling: str, now: float) -> uuid.UUID | None:
        """The channel of that id, if it was found to be in reach a moment ago."""
        channel_id, until = self._proven.get(spelling, (None, 0.0))
        return channel_id if until > now else None

    def remember(self, spelling: str, channel_id: uuid.UUID, now: float) -> None:
        if len(self._proven) >= MOST_PROVEN:
            self._proven.clear()
        self._proven[spelling] = (channel_id, now + PROVEN_SECONDS)


def admit(auth: Any, *, address: str, now: datetime) -> Caller | None:
    """Who shows these credentials: `{"apiKey": …}` first, then `{"token": …}`; None for nobody."""
    if not isinstance(auth, dict):
        return None
    key, ticket = auth.get("apiKey"), auth.get("token")
    if isinstance(key, str) and key:
        return _agent(key, address, now)
    return _person(ticket, now) if isinstance(ticket, str) else None


def _agent(shown: str, address: str, now: datetime) -> Caller | None:
    try:
        key = authenticate_headers({"x-api-key": shown}, address=address, now=now)
    except (AuthenticationFailed, Throttled):
        return None
    return Caller(frozenset({key.workspace_id}), key_id=key.pk)


def _person(ticket: str, now: datetime) -> Caller | None:
    bearer = bearer_of(ticket)
    if bearer is None or not _live_sessions({bearer.session_id}, now):
        return None
    user = bearer.user
    return Caller(
        frozenset(each.workspace_id for each in memberships_of(user)),
        user_id=user.pk,
        session_id=bearer.session_id,
        password=user.get_session_auth_hash(),
    )


def reachable(caller: Caller, channel_id: str) -> Channel | None:
    """A channel in one of the caller's workspaces, or None."""
    for workspace_id in caller.workspaces:
        try:
            return find_channel(workspace_id, channel_id)
        except ChannelNotFoundError:
            continue
    return None


def turned_away(callers: Collection[Caller], *, now: datetime) -> set[Caller]:
    """Those who may no longer be here: keys that ended, people who left, changed their password
    or ended the session.
    """
    keys = _live_keys({each.key_id for each in callers if each.key_id}, now)
    sessions = _live_sessions({each.session_id for each in callers if each.session_id}, now)
    people = _live_people({each.user_id for each in callers if each.user_id})
    return {
        each for each in callers if not (_is_live(each, keys, sessions) and _is_same(each, people))
    }


type People = dict[uuid.UUID, tuple[str, set[uuid.UUID]]]


def _is_live(caller: Caller, keys: set[uuid.UUID], sessions: set[uuid.UUID]) -> bool:
    """Whether what opened the socket would still open one."""
    return caller.key_id in keys if caller.is_agent else caller.session_id in sessions


def _is_same(caller: Caller, people: People) -> bool:
    """Whether a person still has the password and the workspaces that they came with."""
    if caller.user_id is None:
        return True
    password, workspaces = people.get(caller.user_id, ("", set()))
    return caller.password == password and caller.workspaces <= workspaces


def _live_sessions(ids: set[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Of pages, and of the JSON API, where a token is one."""
    if not ids:
        return set()
    pages = Session.objects.filter(pk__in=ids, expires_at__gt=now)
    tokens = PersonToken.objects.filter(pk__in=ids, expires_at__gt=now)
    return set(pages.values_list("pk", flat=True)) | set(tokens.values_list("pk", flat=True))


def _live_keys(ids: set[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    if not ids:
        return set()
    live = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    return set(live.filter(pk__in=ids).values_list("pk", flat=True))


def _live_people(ids: set[uuid.UUID]) -> People:
    """Each active person's session hash and workspaces."""
    if not ids:
        return {}
    people: People = {
        user.pk: (user.get_session_auth_hash(), set())
        for user in User.objects.filter(pk__in=ids, is_active=True)
    }
    for membership in Membership.objects.filter(user_id__in=people):
        people[membership.user_id][1].add(membership.workspace_id)
    return people
