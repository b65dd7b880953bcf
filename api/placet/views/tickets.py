"""Tickets for people's sockets (Placet contract 3.1)."""

from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.sessions import row_of
from accounts.tickets import LIVES_SECONDS, issue_ticket
from api.placet.views.base import AgentView


class Session(SessionAuthentication):
    """A signed-in person's session, with Django's check against forged requests."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class SocketTicket(AgentView):
    """For the page of a signed-in person."""

    authentication_classes = [Session]
    parser_classes = [FormParser, MultiPartParser, JSONParser]  # where the token may stand
    throttle_classes = []

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """A ticket that opens a socket within a minute, as `auth.token`."""
        session = row_of(request)
        if not isinstance(request.user, User) or session is None:
            raise NotAuthenticated
        ticket = issue_ticket(request.user, session)
        return Response({"token": ticket, "expiresIn": LIVES_SECONDS})
