"""Signing in and out, and what goes with it (Placet contract 3.1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.utils import timezone
from rest_framework.exceptions import APIException, NotAuthenticated, Throttled
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.attempts import (
    TooManyAttemptsError,
    count_own_password,
    count_sign_in,
    forget_own_password,
    forget_slips,
)
from accounts.models import User
from accounts.queries import memberships_of
from accounts.services.preferences import change_password
from accounts.sessions import row_of
from accounts.tickets import LIVES_SECONDS, issue_ticket
from api.people.authentication import (
    COOKIE,
    PageSession,
    PersonAuthentication,
    token_in_header,
)
from api.people.documentation import WORKSPACE, operation
from api.people.origins import refuse_cross_site
from api.people.passwords import require_good
from api.people.serializers.auth import (
    ChangePasswordIn,
    LoginIn,
    SignedInOut,
    TextOut,
    TicketOut,
)
from api.people.tokens import LIVES, end_token, find_token, issue_token, keep_only, renew_token
from api.people.views.base import PersonView, membership_of, person_of, token_of
from api.placet.views.base import PlacetView, read_body
from api.throttling import AddressThrottle


class WrongPasswordError(APIException):
    """An unknown address looks the same."""

    status_code = 401
    default_code = "wrong_password"
    default_detail = "Invalid credentials"


def person_body(user: User, role: str) -> dict[str, Any]:
    return {
        "id": str(user.pk),
        "email": user.email,
        "displayName": user.name,
        "role": role,
    }


def _with_flag(user: User, role: str) -> dict[str, Any]:
    return {"user": person_body(user, role) | {"mustChangePassword": user.must_change_password}}


def _role_of(user: User) -> str:
    memberships = memberships_of(user)
    return memberships[0].role if memberships else ""


def _set_cookie(response: Response, token: str) -> Response:
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIVES,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


class SignIn(PlacetView):
    authentication_classes = []
    throttle_classes = [AddressThrottle]

    @operation(
        "signIn",
        tag="Sign-in",
        body=LoginIn,
        answers={200: SignedInOut},
        errors=[401, 403],
        needs_key=False,
    )
    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password; the answer sets the cookie `access_token`.

        Its value may also be sent as `Authorization: Bearer`.
        """
        refuse_cross_site(request._request)  # noqa: SLF001  # it sets a cookie
        body = read_body(request, LoginIn)
        user = _checked(request, body.email.lower(), body.password)
        issued = issue_token(user, now=timezone.now())
        return _set_cookie(Response(_with_flag(user, _role_of(user))), issued.clear)


def _checked(request: Request, email: str, password: str) -> User:
    """The person whose password this is; attempts are counted together with those at the page.

    Raises: WrongPasswordError, Throttled.
    """
    here = request._request  # noqa: SLF001  # Django's own
    with _counted():
        count_sign_in(here, email)
    user = authenticate(here, username=email, password=password)
    if not isinstance(user, User):
        raise WrongPasswordError
    forget_slips(here, user)
    return user


@contextmanager
def _counted() -> Iterator[None]:
    """Raises: Throttled."""
    try:
        yield
    except TooManyAttemptsError as refusal:
        raise Throttled(wait=refusal.seconds) from None


class Renew(PersonView):
    opens_with_given_password = True

    @operation("renewSession", tag="Sign-in", answers={200: SignedInOut}, errors=[403])
    def post(self, request: Request) -> Response:
        """A new token for seven more days; the one it was asked with ends within a minute."""
        user = person_of(request)
        issued = renew_token(token_of(request), now=timezone.now())
        answer = Response({"user": person_body(user, _role_of(user))})
        return _set_cookie(answer, issued.clear)


class Me(PersonView):
    opens_with_given_password = True

    @operation(
        "getMe",
        tag="Sign-in",
        answers={200: SignedInOut},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """Who is signed in, and their role."""
        user = person_of(request)
        role = membership_of(request).role if memberships_of(user) else ""
        return Response(_with_flag(user, role))


class ChangePassword(PersonView):
    opens_with_given_password = True

    @operation(
        "changePassword",
        tag="Sign-in",
        body=ChangePasswordIn,
        answers={200: TextOut},
        errors=[403],
    )
    def post(self, request: Request) -> Response:
        """Change the password, which ends everything else that was opened with the old one."""
        body, user = read_body(request, ChangePasswordIn), person_of(request)
        with _counted():
            count_own_password(user)
        if not user.check_password(body.current_password):
            raise WrongPasswordError("Current password is incorrect")
        forget_own_password(user)
        require_good(body.new_password, user, field="newPassword")
        change_password(user, password=body.new_password)
        keep_only(token_of(request))
        return Response({"message": "Password changed successfully"})


class SignOut(PlacetView):
    """Also for those whose token has ended: their browser is to forget it."""

    authentication_classes = []
    throttle_classes = [AddressThrottle]

    @operation("signOut", tag="Sign-in", answers={200: TextOut}, errors=[403], needs_key=False)
    def post(self, request: Request) -> Response:
        """End the token that the call carries, and clear the cookie."""
        in_header = token_in_header(request._request)  # noqa: SLF001  # the same request
        if not in_header:
            refuse_cross_site(request._request)  # noqa: SLF001  # as above
        shown = in_header or request.COOKIES.get(COOKIE, "")
        token = find_token(shown, now=timezone.now())
        if token is not None:
            end_token(token)
        answer = Response({"message": "Logged out"})
        answer.delete_cookie(COOKIE, samesite="Lax")
        return answer


class SocketTicket(PersonView):
    """For the page of a signed-in person, and for scripts."""

    authentication_classes = [PersonAuthentication, PageSession]
    parser_classes = [FormParser, MultiPartParser, JSONParser]  # where the token may stand

    @operation("createSocketTicket", tag="Sign-in", answers={200: TicketOut}, errors=[403])
    def post(self, request: Request) -> Response:
        """A ticket that opens a socket within a minute, as `auth.token`."""
        opened_with = request.auth or row_of(request)
        if opened_with is None:
            raise NotAuthenticated
        ticket = issue_ticket(person_of(request), opened_with.pk)
        return Response({"token": ticket, "expiresIn": LIVES_SECONDS})
