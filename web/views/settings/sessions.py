"""Where a person is signed in: looked at and ended by nobody but them."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, logout
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Session, User
from accounts.queries import find_session, sessions_of
from accounts.services.preferences import end_sessions as end_all_sessions
from accounts.sessions import data_of, row_of
from delivery.push.labels import label_of
from web.access import MemberRequest, for_members
from web.redirects import SeeOther
from web.sessions import end_other_sessions, end_sessions
from web.views.settings.page import settings_page

MOST_SHOWN = 100


@dataclass(frozen=True)
class Shown:
    """One session as the page names it."""

    row: Session
    name: str
    is_here: bool


@require_safe
@for_members
def sessions(request: MemberRequest) -> HttpResponse:
    shown = [
        Shown(row, label_of(row.user_agent), is_here=row == row_of(request))
        for row in _live_sessions(request.user)
    ]
    shown.sort(key=lambda each: not each.is_here)
    return settings_page(request, "sessions", sessions=shown)


def _live_sessions(user: User) -> list[Session]:
    """Those that still sign in: not expired, and opened with the password as it is now."""
    good = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    rows = sessions_of(user).filter(expires_at__gt=timezone.now())[:MOST_SHOWN]
    return [
        row
        for row in rows
        if any(constant_time_compare(data_of(row).get(HASH_SESSION_KEY, ""), each) for each in good)
    ]


@require_POST
@for_members
def end(request: MemberRequest, session_id: uuid.UUID) -> HttpResponse:
    """End one session; the one at hand is left by it."""
    session = find_session(request.user, session_id)
    if session == row_of(request):
        logout(request)
        return SeeOther(reverse("web:sign-in"))
    end_sessions(request.user, [session])
    messages.success(request, _("That session has ended."))
    return SeeOther(reverse("web:settings-sessions"))


@require_POST
@for_members
def end_others(request: MemberRequest) -> HttpResponse:
    end_other_sessions(request, request.user)
    messages.success(request, _("You are signed out everywhere else."))
    return SeeOther(reverse("web:settings-sessions"))


@require_POST
@for_members
def end_all(request: MemberRequest) -> HttpResponse:
    """Everywhere, here too."""
    user = request.user
    end_all_sessions(user)
    end_sessions(user, sessions_of(user))
    logout(request)
    return SeeOther(reverse("web:sign-in"))
