"""Bytes of files as answers that cannot run, load or be mistaken for a page of ours.

Every address under which somebody's file can be had, on pages and in both APIs, answers with this.
"""

import re
from dataclasses import dataclass

from django.core.files.base import File
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from attachments.kinds import AUDIO, IMAGES, PDF, VIDEO, Kind, kind_of, media_type_of
from attachments.links import disposition
from attachments.models import Attachment
from attachments.queries import open_file

FRESH_SECONDS = 300
CHUNK = 64 * 1024
UNKNOWN_TYPE = "application/octet-stream"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
SHOWN_AS_TEXT = frozenset({Kind.HTML, Kind.MARKDOWN, Kind.TEXT})
SHOWN_AS_SENT = frozenset({Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.PDF})
PASSIVE = IMAGES | AUDIO | VIDEO | {PDF, "text/plain"}
_LOADS_NOTHING = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; "
    "font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
POLICY = f"sandbox; {_LOADS_NOTHING}"
# Firefox opens no PDF in a sandbox. Browsers' own viewers run in an origin of theirs anyway.
PDF_POLICY = _LOADS_NOTHING
# Nobody frames what a program fetches.
API_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
CACHED = f"private, max-age={FRESH_SECONDS}"
ASKED_EACH_TIME = "private, no-cache"
ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True)
class Shown:
    """How the bytes of a file are sent: their type, and whether a browser may show them."""

    content_type: str
    inline: bool
    policy: str = POLICY
    cache: str = CACHED


def shown_as(file: Attachment, *, download: bool = False, render: bool = False) -> Shown:
    """The type is one of an allow-list; HTML is a text unless it was asked for as a page."""
    kind = kind_of(file.filename, file.mime_type)
    media_type = media_type_of(file.filename, file.mime_type)
    if download:
        return Shown(UNKNOWN_TYPE, inline=False)
    if kind == Kind.HTML and render:
        return Shown(HTML_TYPE, inline=True)
    if kind in SHOWN_AS_TEXT or media_type.startswith("text/"):
        return Shown(TEXT_TYPE, inline=True)
    if kind == Kind.SVG:  # in an <img> only: there nothing of it runs
        return Shown("image/svg+xml", inline=False)
    if kind in SHOWN_AS_SENT:
        return Shown(media_type, inline=True, policy=PDF_POLICY if kind == Kind.PDF else POLICY)
    return Shown(UNKNOWN_TYPE, inline=False)


def shown_to_agents(file: Attachment) -> Shown:
    """The type is the one that was claimed (Placet contract 2.6): no browser carries an API key."""
    inline = file.mime_type in PASSIVE
    shown = TEXT_TYPE if file.mime_type == "text/plain" else file.mime_type
    return Shown(shown, inline, API_POLICY, ASKED_EACH_TIME)


def shown_to_people(file: Attachment) -> Shown:
    """The same for what is passive. A browser may be led here: all else are bytes to be saved."""
    shown = shown_to_agents(file)
    return shown if shown.inline else saved()


def saved() -> Shown:
    """Bytes of no type, only ever saved."""
    return Shown(UNKNOWN_TYPE, inline=False, policy=API_POLICY, cache=ASKED_EACH_TIME)


class Window:
    """A part of an open file, read in chunks and closed with the answer."""

    def __init__(self, opened: "File[bytes]", length: int) -> None:
        self.opened = opened
        self.left = length

    def read(self, size: int) -> bytes:
        chunk: bytes = self.opened.read(min(size, self.left))
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        self.opened.close()


class Stream(FileResponse):
    block_size = CHUNK


def file_response(request: HttpRequest, file: Attachment, shown: Shown) -> HttpResponse | Stream:
    """The bytes, a part of them (206), or that they are as the browser has them (304).

    Raises: FileMissingError, StorageUnavailableError.
    """
    etag = f'"{file.sha256}"' if file.sha256 else ""
    if etag and etag in _known_tags(request):
        return _with_headers(HttpResponseNotModified(), file, shown, etag)
    start, length = _asked_range(request, file.size, etag)
    if start >= file.size > 0 or (length == 0 and file.size > 0):
        return _unsatisfiable(file, shown)
    window = Window(open_file(file, start=start), length)
    response = Stream(window, content_type=shown.content_type)
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    if length < file.size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.size}"
    return _with_headers(response, file, shown, etag)


def _known_tags(request: HttpRequest) -> list[str]:
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return [tag.removeprefix("W/") for tag in tags]


def _asked_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int]:
    """Where to begin, and how many bytes: everything, unless one range is asked for rightly."""
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range", "")
    if asked is None or asked.groups() == ("", "") or (condition and condition != etag):
        return 0, size
    first, last = asked.groups()
    if not first:
        length = min(int(last), size)
        return size - length, length
    if last and int(last) < int(first):
        return 0, size
    end = min(int(last), size - 1) if last else size - 1
    return int(first), max(end - int(first) + 1, 0)


def _unsatisfiable(file: Attachment, shown: Shown) -> HttpResponse:
    response = HttpResponse(status=416, content_type=TEXT_TYPE)
    response["Content-Range"] = f"bytes */{file.size}"
    return _with_headers(response, file, shown, "")


def _with_headers[R: (HttpResponse, Stream)](
    response: R, file: Attachment, shown: Shown, etag: str
) -> R:
    protect(response, shown.policy)
    response["Content-Disposition"] = disposition(file.filename, inline=shown.inline)
    response["Cache-Control"] = shown.cache
    if etag:
        response["ETag"] = etag
    return response


def protect(response: HttpResponseBase, policy: str = POLICY) -> None:
    """What keeps agents' bytes from acting in our origin. Our own pages may frame them."""
    response["Content-Security-Policy"] = policy
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"


def elsewhere(link: str) -> HttpResponse:
    """To the storage itself, by a link that is good for a minute and for nobody else."""
    response = HttpResponse(status=302, headers={"Location": link, "Cache-Control": "no-store"})
    response["Referrer-Policy"] = "no-referrer"
    return response


def picture_response(content: bytes, *, fresh_seconds: int = FRESH_SECONDS) -> HttpResponse:
    """A WebP of ours, made from a picture of theirs."""
    response = HttpResponse(content, content_type="image/webp")
    protect(response)
    response["Cache-Control"] = f"private, max-age={fresh_seconds}"
    return response
