"""What a signed-in person chose, in force for each of their requests.

Language and time zone hold while the page is made. The theme goes into a cookie as well, so that
the sign-in page looks the same. Nothing but the password can be changed while it is a given one.
"""

import functools
import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Theme, User
from web.redirects import SeeOther

THEME_COOKIE = "theme"
CHOSEN_THEMES = frozenset({Theme.LIGHT, Theme.DARK})
YEAR = 365 * 24 * 3600
LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)


class PersonalMiddleware:
    """Stands below Django's own for language and sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = _signed_in(request)
        if user is None:
            _set_theme(request, request.COOKIES.get(THEME_COOKIE, ""))
            return self.get_response(request)
        _set_theme(request, user.theme)
        with timezone.override(zone_of(user)), translation.override(_language(user)):
            response = _held_back(request, user) or self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
        _remember_theme(request, response, user)
        return response


def _signed_in(request: HttpRequest) -> User | None:
    """Agents carry no session, and their calls are not to cost a look for one."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return request.user if isinstance(request.user, User) else None


def _set_theme(request: Any, theme: str) -> None:
    request.theme = theme if theme in CHOSEN_THEMES else ""


@functools.cache
def _known_zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_of(user: User) -> zoneinfo.ZoneInfo:
    """Their zone, or the server's: also for one that this machine does not know any more."""
    chosen = _known_zone(user.time_zone) if user.time_zone else None
    return chosen or zoneinfo.ZoneInfo(settings.TIME_ZONE)


def _language(user: User) -> str:
    """Their language, or what the browser asked for."""
    return user.language if user.language in LANGUAGES else translation.get_language()


def _held_back(request: HttpRequest, user: User) -> HttpResponse | None:
    """Somebody else knows a given password: first of all it is replaced."""
    if not user.must_change_password:
        return None
    door = reverse("web:settings-password")
    return None if request.path in {door, reverse("web:sign-out")} else SeeOther(door)


def _remember_theme(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """`request.user` is who is signed in by now; a choice of this very request counts."""
    chosen = user.theme if user.theme in CHOSEN_THEMES else ""
    if chosen == request.COOKIES.get(THEME_COOKIE, ""):
        return
    response.set_cookie(
        THEME_COOKIE,
        chosen,
        max_age=YEAR if chosen else 0,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
