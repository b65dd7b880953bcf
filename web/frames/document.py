"""The page inside of a plugin's frame, and the policy that keeps it there.

A plugin is somebody else's script. Its page has an origin of its own, so it reaches no cookie, no
storage and nothing of the page around it; it may load nothing, call nobody, send no form and open
no window. What it is given stands in the page, escaped, for this message and this person; the
address of the page says nothing but which message that is.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.translation import get_language, get_language_bidi

from attachments.models import Attachment
from inbox.models import Message
from reviews.models import ReviewRequest
from reviews.plugins.choosing import Chosen
from reviews.plugins.configuration import Configured
from reviews.plugins.manifest import sample_data

HERE = Path(__file__).parent
POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; font-src data:; "
    "connect-src 'none'; frame-src 'none'; worker-src 'none'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
    # No connection at all, also none that a policy does not know: WebRTC, look-ups ahead of time.
    "Connection-Allowlist": "()",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), clipboard-write=(), "
        "display-capture=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), microphone=(), "
        "midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()"
    ),
    "Cache-Control": "no-store",
}
# Inside of a <script>, none of these may end it or begin another one.
IN_SCRIPT = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
PAGE = """<!doctype html>
<html lang="{lang}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{styles}</style>
<script type="application/json" id="placet-given">{given}</script>
<script>{bridge}</script>
</head>
{html}
"""


def frame_response(request: HttpRequest, used: Configured, given: Mapping[str, Any]) -> Any:
    """The page for one frame."""
    plugin = used.plugin
    page = PAGE.format(
        lang=escape(get_language() or "en"),
        direction="rtl" if get_language_bidi() else "ltr",
        title=escape(plugin.display_name),
        styles=_part("frame.css"),
        given=json.dumps(given, ensure_ascii=False).translate(IN_SCRIPT),
        bridge=_part("bridge.js"),
        html=plugin.html,
    )
    # Halves of surrogate pairs are valid in JSON, and in nothing else.
    content = page.encode("utf-8", "replace")
    return HttpResponse(content, headers=HEADERS, content_type="text/html; charset=utf-8")


@functools.cache
def _part(name: str) -> str:
    return (HERE / name).read_text()


def given_for(
    request: HttpRequest,
    used: Configured,
    chosen: Chosen,
    review: ReviewRequest | None,
    files: Sequence[Attachment],
) -> dict[str, Any]:
    """What the plugin finds in `Placet` for a message (Placet contract 8.4)."""
    return _given(request, used, chosen.data) | {
        "attachments": [_file(file) for file in files],
        "message": _message(chosen.message),
        "review": None if review is None else _review(review),
    }


def given_for_preview(request: HttpRequest, used: Configured) -> dict[str, Any]:
    return _given(request, used, sample_data(used.plugin)) | {"isPreview": True}


def _given(request: HttpRequest, used: Configured, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": data,
        "env": used.frame_env,
        "attachments": [],
        "message": None,
        "theme": getattr(request, "theme", ""),
        "review": None,
        "isPreview": False,
    }


def _file(file: Attachment) -> dict[str, Any]:
    return {
        "id": str(file.pk),
        "filename": file.filename,
        "mimeType": file.mime_type,
        "size": file.size,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.pk),
        "channelId": str(message.channel_id),
        "senderType": message.sender,
        "createdAt": _time(message.created_at),
    }


def _review(review: ReviewRequest) -> dict[str, Any]:
    return {"type": review.kind, "status": review.status, "payload": review.payload}


def _time(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
