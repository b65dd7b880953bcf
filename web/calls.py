"""The log of calls, from agents and to them, as owners and admins read it."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.ids import parse_uuid
from accounts.models import ApiKey, Workspace
from api.models import Call
from api.traffic import (
    NO_ANSWER,
    Bodies,
    Direction,
    Entry,
    Filter,
    bodies_of,
    find_entry,
    page_of_log,
)
from delivery.addresses import shown_address
from delivery.models import Attempt
from web.activity import PAGE, Page, Wanted
from web.deliveries import duration_text, look_of_attempt, reason_of_attempt
from web.looks import Look

CLIENT_ERROR, SERVER_ERROR = 400, 500
KEYS_OFFERED = 200


@dataclass(frozen=True)
class CallRow:
    """A row of the log. `about` is the key that called, or the event that was sent."""

    entry: Entry
    look: Look
    way: Look
    method: str
    address: str
    about: str
    took: str
    error: str
    ip: str

    @property
    def of(self) -> Call | Attempt:
        return self.entry.of


@dataclass(frozen=True)
class WholeCall:
    row: CallRow
    bodies: Bodies


def keys_of(workspace: Workspace) -> dict[str, str]:
    """What the keys of a workspace are called, revoked ones too, the newest first."""
    rows = ApiKey.objects.filter(workspace=workspace).order_by("-id")
    named = rows.values_list("pk", "label", "key_prefix")[:KEYS_OFFERED]
    return {str(pk): f"{label} ({prefix}…)" for pk, label, prefix in named}


def page_of_calls(
    workspace: Workspace, wanted: Wanted, *, now: datetime, keys: dict[str, str], operator: bool
) -> Page[CallRow]:
    """Raises: BadCursorError."""
    before, key_id = wanted.before, parse_uuid(wanted.key)
    if wanted.key and key_id is None:
        return Page([])
    narrowed = Filter(
        since=wanted.since(now),
        direction=Direction(wanted.direction) if wanted.direction else None,
        status=_statuses(wanted.status),
        key_id=key_id,
        path=wanted.path,
    )
    found = page_of_log(workspace, narrowed, before=before, limit=PAGE + 1)
    rows = [_row(entry, keys, operator=operator) for entry in found[:PAGE]]
    return Page(rows, str(found[PAGE - 1].id) if len(found) > PAGE else "")


def _statuses(text: str) -> range | None:
    first = int(text) * 100 if text else NO_ANSWER
    return range(first, first + 100) if text else None


def find_call(workspace: Workspace, entry_id: UUID, *, operator: bool) -> WholeCall | None:
    """None for a call that is foreign, missing, or forgotten by now."""
    entry = find_entry(workspace, entry_id)
    if entry is None:
        return None
    found = bodies_of(workspace, [entry])[entry.id]
    row = _row(entry, keys_of(workspace), operator=operator)
    return WholeCall(row, Bodies(_spread(found.request), _spread(found.answer)))


def _spread(text: str | None) -> str | None:
    """JSON over several lines; what is a string shows as the text that it is."""
    if text is None:
        return None
    value = json.loads(text)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _row(entry: Entry, keys: dict[str, str], *, operator: bool) -> CallRow:
    if isinstance(entry.of, Call):
        return _from_agent(entry, entry.of, keys)
    return _to_agent(entry, entry.of, operator=operator)


def _from_agent(entry: Entry, call: Call, keys: dict[str, str]) -> CallRow:
    return CallRow(
        entry=entry,
        look=_look(call.status),
        way=Look("inbox", _("From an agent")),
        method=call.method,
        address=call.path,
        about=keys.get(str(call.key_id), f"{call.key_prefix}…"),
        took=duration_text(call.duration_ms),
        error=call.error,
        ip=call.address,
    )


def _to_agent(entry: Entry, attempt: Attempt, *, operator: bool) -> CallRow:
    delivery = attempt.delivery
    return CallRow(
        entry=entry,
        look=look_of_attempt(attempt, delivery),
        way=Look("send", _("To an agent")),
        method=delivery.method,
        address=shown_address(delivery.url),
        about=delivery.event.type,
        took=duration_text(attempt.duration_ms) if attempt.ended_at else "",
        error=reason_of_attempt(attempt, delivery, operator=operator),
        ip=(attempt.ip or "") if operator else "",
    )


def _look(status: int) -> Look:
    if status >= SERVER_ERROR:
        return Look("warn", str(status), "bad")
    return (
        Look("x", str(status), "warn")
        if status >= CLIENT_ERROR
        else Look("check", str(status), "ok")
    )
