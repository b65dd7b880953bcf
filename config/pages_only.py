"""Middlewares that serve pages, and stand aside for agents' calls.

Those have no session, no form, no file and no language: each of these would cost every call a
little, and do nothing.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware

from web.compression import CompressionMiddleware
from web.personal import PersonalMiddleware
from web.sessions import LastSeenMiddleware

AGENTS = ("/api/v1/", "/api/messaging/", "/v1/")
AT_ROOT = "/messages"  # of the conversations' dialect; pages have a slash behind it


class StandsAside:
    """Comes before a middleware, and passes agents' calls on as if that were not there."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith(AGENTS) or request.path == AT_ROOT:
            return self.pass_on(request)
        return super().__call__(request)  # type: ignore[misc]  # the middleware's own

    def pass_on(self, request: HttpRequest) -> Any:
        return self.get_response(request)


class Compression(StandsAside, CompressionMiddleware):
    pass


class StaticFiles(StandsAside, WhiteNoiseMiddleware):  # type: ignore[misc]  # has no types
    pass


class Sessions(StandsAside, SessionMiddleware):
    pass


class Locale(StandsAside, LocaleMiddleware):
    def pass_on(self, request: HttpRequest) -> Any:
        """In the wire's own language, whatever this thread spoke before."""
        translation.activate(settings.LANGUAGE_CODE)
        return self.get_response(request)


class Csrf(StandsAside, CsrfViewMiddleware):
    pass


class Authentication(StandsAside, AuthenticationMiddleware):
    pass


class Personal(StandsAside, PersonalMiddleware):
    pass


class LastSeen(StandsAside, LastSeenMiddleware):
    pass


class Messages(StandsAside, MessageMiddleware):
    pass
