"""API keys of a workspace, for its owners and admins (Placet contract 3.2)."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.queries import find_working_key, working_keys_of
from accounts.services import IssuedKey, issue_key, revoke_key
from accounts.services.keys import rotate_key
from api.people.documentation import WORKSPACE, operation
from api.people.serializers.keys import ClearKeyOut, KeyIn, KeyOut
from api.people.views.base import PersonView, managing, person_of
from api.placet.documentation import array_of
from api.placet.serializers.base import DeletedOut
from api.placet.times import wire_time, wire_time_or_null
from api.placet.views.base import read_optional_body


def key_body(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.pk),
        "userId": str(key.created_by_id) if key.created_by_id else None,
        "label": key.label,
        "keyPrefix": key.key_prefix,
        "lastUsedAt": wire_time_or_null(key.last_used_at),
        "createdAt": wire_time(key.created_at),
    }


def _clear_body(issued: IssuedKey) -> dict[str, Any]:
    return key_body(issued.row) | {"key": issued.clear}


class Keys(PersonView):
    @operation(
        "listKeys",
        tag="API keys",
        answers={200: array_of(KeyOut)},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """The keys that work, newest first."""
        keys = working_keys_of(managing(request).workspace, now=timezone.now())
        return Response([key_body(key) for key in keys])

    @operation(
        "createKey",
        tag="API keys",
        body=KeyIn,
        body_required=False,
        answers={201: ClearKeyOut},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Make a key. Its text is in this one answer."""
        membership, body = managing(request), read_optional_body(request, KeyIn)
        issued = issue_key(
            workspace=membership.workspace, created_by=person_of(request), label=body.label
        )
        return Response(_clear_body(issued), status=201)


class OneKey(PersonView):
    @operation(
        "deleteKey",
        tag="API keys",
        answers={200: DeletedOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def delete(self, request: Request, key_id: str) -> Response:
        """End a key."""
        now = timezone.now()
        revoke_key(find_working_key(managing(request).workspace, key_id, now=now), now=now)
        return Response({"deleted": True})


class Rotate(PersonView):
    @operation(
        "rotateKey",
        tag="API keys",
        answers={200: ClearKeyOut},
        errors=[403, 404, 409],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request, key_id: str) -> Response:
        """A new key, with an id of its own, in place of one that ends at once."""
        now = timezone.now()
        key = find_working_key(managing(request).workspace, key_id, now=now)
        issued = rotate_key(key, by=person_of(request), overlap=timedelta(0), now=now)
        return Response(_clear_body(issued))
