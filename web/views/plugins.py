"""Plugins in the pages: the page of a frame, an icon, and the calls that a frame asks for."""

import json
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe
from limits import RateLimitItemPerMinute

from accounts.attempts import TooManyAttemptsError, count
from attachments.serving import protect
from inbox.queries import find_message
from reviews.plugins import Plugin, PluginNotFoundError, find_plugin
from reviews.plugins.calling import Call, CallRefusedError, call
from reviews.plugins.choosing import Chooser
from reviews.plugins.configuration import Configured, configured
from reviews.plugins.icons import read_icon
from web.access import MemberRequest, for_members, require_managing
from web.frames.document import frame_response, given_for, given_for_preview
from web.queries import files_of

CALLS = (RateLimitItemPerMinute(120, namespace="plugin-call"),)
LARGEST_CALL = 256 * 1024
ICON_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ICON_SECONDS = 3600


@require_safe
@for_members
def frame(request: MemberRequest, name: str) -> HttpResponse:
    """The page in the frame: of one message, or a preview for those who may switch it on."""
    used = configured(request.workspace, _found(name))
    if "preview" in request.GET:
        require_managing(request)
        return _page(request, used, given_for_preview(request, used))
    message = find_message(request.workspace, request.GET.get("message", ""), None)
    review = getattr(message, "review", None)
    chosen = Chooser(request.workspace).choose(message, review)
    if chosen is None or chosen.plugin != used.plugin:
        raise Http404
    files = files_of([message])[message.pk]
    return _page(request, used, given_for(request, used, chosen, review, files))


def _page(request: MemberRequest, used: Configured, given: dict[str, Any]) -> HttpResponse:
    response: HttpResponse = frame_response(request, used, given)
    return response


def _found(name: str) -> Plugin:
    try:
        return find_plugin(name)
    except PluginNotFoundError as refusal:
        raise Http404 from refusal


@require_safe
@for_members
def icon(request: MemberRequest, name: str) -> HttpResponse:
    found = read_icon(_found(name))
    if found is None:
        raise Http404
    response = HttpResponse(found.content, content_type=found.media_type)
    protect(response, ICON_POLICY)
    response["Cache-Control"] = f"private, max-age={ICON_SECONDS}"
    return response


@require_POST
@for_members
def fetch(request: MemberRequest, name: str) -> HttpResponse:
    """Make a call for a plugin. What came of it is in the body; the status is 200 either way."""
    used = configured(request.workspace, _found(name))
    asked = _read_call(request)
    if asked is None:
        return JsonResponse(_failed("this call cannot be read"), status=400)
    try:
        count(CALLS, str(request.user.pk))
        answer = call(used, asked, may_write=request.membership.may_answer)
    except TooManyAttemptsError as refusal:
        return JsonResponse(_failed(str(refusal)), status=429)
    except CallRefusedError as refusal:
        return JsonResponse(_failed(str(refusal)))
    return JsonResponse(
        {
            "ok": answer.ok,
            "status": answer.status,
            "statusText": answer.reason,
            "headers": answer.headers,
            "body": answer.body,
        }
    )


def _failed(problem: str) -> dict[str, Any]:
    return {"ok": False, "status": 0, "error": problem}


def _read_call(request: MemberRequest) -> Call | None:
    """The call in the body; None for what is none."""
    if request.content_type != "application/json" or len(request.body) > LARGEST_CALL:
        return None
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict):
        return None
    headers = asked.get("headers", {})
    texts = [asked.get("url"), asked.get("method", "GET"), asked.get("body") or ""]
    if not isinstance(headers, dict) or not all(
        isinstance(text, str) for text in [*texts, *headers.values()]
    ):
        return None
    url, method, body = texts
    return Call(url, method, headers, body)
