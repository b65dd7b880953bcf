"""People of a workspace, for its owners and admins (Placet contract 3.2)."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Membership, Role, User
from accounts.queries import find_person, members_of
from accounts.services.people import change_role, create_member, remove_member
from accounts.services.preferences import change_preferences
from api.people.documentation import WORKSPACE, operation
from api.people.passwords import require_good
from api.people.serializers.users import UserIn, UserOut, UserPatchIn
from api.people.views.auth import person_body
from api.people.views.base import PersonView, managing, person_of
from api.placet.documentation import array_of
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.base import DeletedOut
from api.placet.times import wire_time
from api.placet.views.base import given, read_body

MEMBER = "member"
LONGEST_EMAIL = 254


def user_body(member: Membership) -> dict[str, Any]:
    return person_body(member.user, member.role) | {
        "mustChangePassword": member.user.must_change_password,
        "createdAt": wire_time(member.user.created_at),
    }


def _role(wire: str) -> Role:
    return Role.REVIEWER if wire == MEMBER else Role(wire)


def _checked_email(text: str) -> str:
    """In lower case, which may make it longer.

    Raises: InvalidBodyError.
    """
    email = text.lower()
    try:
        validate_email(email)
        MaxLengthValidator(LONGEST_EMAIL)(email)
    except ValidationError:
        raise InvalidBodyError(
            fault("invalid_email", "this is no e-mail address", "email")
        ) from None
    return email


class Users(PersonView):
    @operation(
        "listUsers",
        tag="People",
        answers={200: array_of(UserOut)},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """Everybody who belongs to the workspace, the longest first."""
        members = members_of(managing(request).workspace)
        return Response([user_body(member) for member in members])

    @operation(
        "createUser",
        tag="People",
        body=UserIn,
        answers={201: UserOut},
        errors=[403, 409],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Make an account with a first password, which its person has to change."""
        membership, body = managing(request), read_body(request, UserIn)
        require_good(body.password, User(email=body.email), field="password")
        member = create_member(
            workspace=membership.workspace,
            email=_checked_email(body.email),
            name=body.display_name,
            password=body.password,
            role=_role(body.role),
            by=person_of(request),
            now=timezone.now(),
        )
        return Response(user_body(member), status=201)


class OneUser(PersonView):
    @operation(
        "updateUser",
        tag="People",
        body=UserPatchIn,
        answers={200: UserOut},
        errors=[403, 404, 409],
        parameters=[WORKSPACE],
    )
    @transaction.atomic
    def patch(self, request: Request, user_id: str) -> Response:
        """Change somebody's role, or your own name."""
        workspace = managing(request).workspace
        body, member = read_body(request, UserPatchIn), find_person(workspace, user_id)
        name, role = given(body.display_name), given(body.role)
        if name is not None and member.user_id != person_of(request).pk:
            raise PermissionDenied("People change their own name only")
        if role is not None:
            member.role = change_role(member, role=_role(role), by=person_of(request)).role
        if name is not None:
            change_preferences(member.user, display_name=name)
        return Response(user_body(member))

    @operation(
        "deleteUser",
        tag="People",
        answers={200: DeletedOut},
        errors=[403, 404, 409],
        parameters=[WORKSPACE],
    )
    def delete(self, request: Request, user_id: str) -> Response:
        """Take somebody out of the workspace. Their account and what they answered stay."""
        member = find_person(managing(request).workspace, user_id)
        if member.user_id == person_of(request).pk:
            raise PermissionDenied("Cannot delete your own account")
        remove_member(member, by=person_of(request))
        return Response({"deleted": True})
