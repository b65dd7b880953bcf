"""What the views of people's routes share: who calls, where, and what they may do there."""

from typing import cast

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from accounts.ids import parse_uuid
from accounts.models import Membership, User, Workspace
from accounts.queries import memberships_of
from api.models import PersonToken
from api.people.authentication import UNAUTHORIZED, PersonAuthentication
from api.placet.views.base import PlacetView
from api.throttling import CallThrottle

WORKSPACE_HEADER = "X-Workspace"


class GivenPasswordError(PermissionDenied):
    default_code = "given_password"
    default_detail = (
        "Somebody else knows your password. Change it first: POST /api/auth/change-password."
    )


class PersonView(PlacetView):
    """A route for a person who signed in. A password that was given to them opens few of these."""

    authentication_classes = [PersonAuthentication]
    throttle_classes = [CallThrottle]
    opens_with_given_password = False

    def perform_authentication(self, request: Request) -> None:
        if not isinstance(request.user, User):
            raise NotAuthenticated(UNAUTHORIZED)
        if request.user.must_change_password and not self.opens_with_given_password:
            raise GivenPasswordError


def person_of(request: Request) -> User:
    return cast("User", request.user)


def token_of(request: Request) -> PersonToken:
    return cast("PersonToken", request.auth)


def membership_of(request: Request) -> Membership:
    """In the workspace that the header names; without it, in the one they belong to longest.

    Raises: PermissionDenied.
    """
    memberships = memberships_of(person_of(request))
    if not memberships:
        raise PermissionDenied("You do not belong to a workspace yet.")
    wanted = request.headers.get(WORKSPACE_HEADER)
    if wanted is None:
        return memberships[0]
    found = [each for each in memberships if each.workspace_id == parse_uuid(wanted)]
    if not found:
        raise PermissionDenied("Not your workspace")
    return found[0]


def workspace_of(request: Request) -> Workspace:
    return membership_of(request).workspace


def answering(request: Request) -> Membership:
    """Raises: PermissionDenied for people who may only look."""
    membership = membership_of(request)
    if not membership.may_answer:
        raise PermissionDenied("Your role allows you to look, not to answer.")
    return membership


def managing(request: Request) -> Membership:
    """Raises: PermissionDenied for people who may not see and change secrets."""
    membership = membership_of(request)
    if not membership.may_manage:
        raise PermissionDenied("Owner access required")
    return membership
