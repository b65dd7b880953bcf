"""People: `Authorization: Bearer`, or the cookie `access_token`. API keys are never looked at."""

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from accounts.queries import memberships_of
from api.models import PersonToken
from api.people.origins import refuse_cross_site
from api.people.tokens import find_token, note_token_use

COOKIE = "access_token"
UNAUTHORIZED = "Unauthorized"


def token_in_header(request: HttpRequest) -> str:
    """What the header carries; an empty string without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class PersonAuthentication(BaseAuthentication):
    """A header wins over the cookie: it was put there on purpose, for this call."""

    def authenticate(self, request: Request) -> tuple[User, PersonToken] | None:
        in_header = token_in_header(request._request)  # noqa: SLF001  # the same request
        shown = in_header or request.COOKIES.get(COOKIE, "")
        if not shown:
            return None
        now = timezone.now()
        token = find_token(shown, now=now)
        if token is None:
            raise AuthenticationFailed(UNAUTHORIZED)
        if not in_header:
            refuse_cross_site(request._request)  # noqa: SLF001  # as above
        note_token_use(token, now=now)
        token.user.loaded_memberships = memberships_of(token.user)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="licet"'


class PageSession(SessionAuthentication):
    """The session of a person's page, with Django's check against forged requests."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"
