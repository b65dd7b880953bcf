"""The log of agents' calls, as owners and admins read it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.ids import parse_uuid
from accounts.models import ApiKey, Workspace
from api.calls import Call, calls_of
from web.activity import Page, Wanted, cut
from web.looks import Look

CLIENT_ERROR, SERVER_ERROR = 400, 500
KEYS_OFFERED = 200


@dataclass(frozen=True)
class CallRow:
    call: Call
    look: Look
    key: str


def keys_of(workspace: Workspace) -> dict[str, str]:
    """What the keys of a workspace are called, revoked ones too, the newest first."""
    rows = ApiKey.objects.filter(workspace=workspace).order_by("-id")
    named = rows.values_list("pk", "label", "key_prefix")[:KEYS_OFFERED]
    return {str(pk): f"{label} ({prefix}…)" for pk, label, prefix in named}


def page_of_calls(
    workspace: Workspace, wanted: Wanted, *, now: datetime, keys: dict[str, str]
) -> Page[CallRow]:
    """Raises: BadCursorError."""
    calls = calls_of(workspace, since=wanted.since(now))
    if wanted.status:
        first = int(wanted.status) * 100
        calls = calls.filter(status__gte=first, status__lt=first + 100)
    if wanted.key:
        key_id = parse_uuid(wanted.key)
        calls = calls.filter(key_id=key_id) if key_id else calls.none()
    if wanted.path:
        calls = calls.filter(path__icontains=wanted.path)
    page = cut(calls, wanted.before)
    return Page([_row(call, keys) for call in page.rows], page.next_cursor)


def find_call(workspace: Workspace, call_id: UUID) -> CallRow | None:
    """None for a call that is foreign, missing, or forgotten by now."""
    call = calls_of(workspace).filter(pk=call_id).first()
    return None if call is None else _row(call, keys_of(workspace))


def _row(call: Call, keys: dict[str, str]) -> CallRow:
    return CallRow(call, _look(call.status), keys.get(str(call.key_id), f"{call.key_prefix}…"))


def _look(status: int) -> Look:
    if status >= SERVER_ERROR:
        return Look("warn", str(status), "bad")
    return (
        Look("x", str(status), "warn")
        if status >= CLIENT_ERROR
        else Look("check", str(status), "ok")
    )
