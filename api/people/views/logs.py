"""The log of calls, for a workspace's owners and admins (Placet contract 3.2)."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ids import parse_uuid
from accounts.models import ApiKey, Workspace
from api.models import Call
from api.people.documentation import WORKSPACE, operation
from api.people.serializers.logs import LogOut, LogPageOut
from api.people.views.base import PersonView, managing
from api.placet.documentation import CURSOR, LIMIT
from api.placet.errors import InvalidBodyError, fault
from api.placet.times import wire_time
from api.placet.views.base import in_query, limit_in_query
from api.traffic import Bodies, Direction, Entry, Filter, bodies_of, find_entry, page_of_log
from delivery.addresses import shown_address
from inbox.queries import BadCursorError, require_channel

STATUS = re.compile(r"([0-9]{1,3})|([1-5])xx", re.ASCII)


class Logs(PersonView):
    @operation(
        "listLogs",
        tag="Log",
        answers={200: LogPageOut},
        errors=[403],
        parameters=[
            OpenApiParameter("agent", str, description="Id of an agent that it was about."),
            OpenApiParameter(
                "direction",
                str,
                enum=[each.value for each in Direction],
                description="`inbound`: agents' calls. `outbound`: attempts to reach agents.",
            ),
            OpenApiParameter(
                "status",
                {"type": "string", "pattern": r"^(0|[1-5][0-9][0-9]|[1-5]xx)$"},
                description="A status code, 0 for no answer, or a class of them: `5xx`.",
            ),
            LIMIT,
            CURSOR,
            WORKSPACE,
        ],
    )
    def get(self, request: Request) -> Response:
        """Agents' calls and attempts to reach agents, newest first; secrets are masked."""
        workspace, limit = managing(request).workspace, limit_in_query(request.GET)
        found = page_of_log(
            workspace,
            _filter(request, workspace),
            before=_cursor(request),
            limit=limit + 1,
            with_bodies=True,
        )
        page = found[:limit]
        after = str(page[-1].id) if len(found) > limit else None
        return Response({"data": _log_bodies(workspace, page), "nextCursor": after})


def _filter(request: Request, workspace: Workspace) -> Filter:
    """Raises: InvalidBodyError, ChannelNotYoursError."""
    agent = in_query(request.GET, "agent")
    return Filter(
        direction=_direction(request),
        channel_id=None if agent is None else require_channel(workspace, agent).pk,
        status=_statuses(request),
    )


def _direction(request: Request) -> Direction | None:
    """Raises: InvalidBodyError."""
    text = in_query(request.GET, "direction")
    if text is not None and text not in list(Direction):
        problem = f"direction must be one of {', '.join(Direction)}"
        raise InvalidBodyError(fault("invalid_direction", problem, "direction"))
    return None if text is None else Direction(text)


def _statuses(request: Request) -> range | None:
    """Raises: InvalidBodyError."""
    text = in_query(request.GET, "status")
    if text is None:
        return None
    match = STATUS.fullmatch(text)
    if match is None:
        problem = "status must be a status code, 0, or a class of them such as 5xx"
        raise InvalidBodyError(fault("invalid_status", problem, "status"))
    first, width = (int(match[1]), 1) if match[1] else (int(match[2]) * 100, 100)
    return range(first, first + width)


def _cursor(request: Request) -> uuid.UUID | None:
    """Raises: BadCursorError."""
    text = in_query(request.GET, "cursor")
    before = None if text is None else parse_uuid(text)
    if text is not None and before is None:
        raise BadCursorError("cursor must be an id from this list", path=("cursor",))
    return before


class OneLog(PersonView):
    @operation(
        "getLog",
        tag="Log",
        answers={200: LogOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, log_id: str) -> Response:
        """One call or attempt."""
        workspace, entry_id = managing(request).workspace, parse_uuid(log_id)
        entry = None if entry_id is None else find_entry(workspace, entry_id)
        if entry is None:
            raise NotFound("Log not found")
        return Response(_log_bodies(workspace, [entry])[0])


def _log_bodies(workspace: Workspace, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    bodies = bodies_of(workspace, entries)
    keys = {entry.of.key_id for entry in entries if isinstance(entry.of, Call)}
    made = ApiKey.objects.filter(workspace=workspace, pk__in=keys)
    makers = dict(made.values_list("pk", "created_by")) if keys else {}
    return [_log_body(entry, bodies[entry.id], makers) for entry in entries]


def _log_body(
    entry: Entry, bodies: Bodies, makers: Mapping[uuid.UUID, uuid.UUID | None]
) -> dict[str, Any]:
    """`makers`: who made which key."""
    row: dict[str, Any] = {
        "id": str(entry.id),
        "requestBody": _fragment(bodies.request),
        "responseBody": _fragment(bodies.answer),
        "statusCode": entry.status,
        "durationMs": entry.of.duration_ms,
        "direction": entry.direction,
        "createdAt": wire_time(entry.at),
    }
    if isinstance(entry.of, Call):
        maker = makers.get(entry.of.key_id)
        return row | {
            "apiKeyId": str(entry.of.key_id),
            "userId": str(maker) if maker else None,
            "method": entry.of.method,
            "path": entry.of.path,
        }
    delivery = entry.of.delivery
    address = shown_address(delivery.url)
    return row | {"apiKeyId": None, "userId": None, "method": delivery.method, "path": address}


def _fragment(text: str | None) -> orjson.Fragment | None:
    """Stored JSON goes out as it is."""
    return None if text is None else orjson.Fragment(text)
