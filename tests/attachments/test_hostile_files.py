"""Files made to hurt: each ends in a reason, soon and without eating the machine."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone

from attachments import workshop
from attachments.conversion import limits
from attachments.conversion.refusals import RefusedError
from attachments.kinds import preview_of
from attachments.models import Attachment, Preview
from attachments.previews import make_next_preview
from attachments.storage import new_key, put
from inbox.models import Channel
from tests.attachments import samples
from tests.factories import make_file

ROOT = Path(__file__).parents[2]
SHEET = "xl/worksheets/sheet1.xml"
DEEP = "<w:p>" * 200_000

HOSTILE: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "pixels": ("a.png", "too_large", lambda: samples.png_that_claims(100_000, 100_000)),
    "many pixels": ("a.png", "too_large", lambda: samples.png_that_claims(7_000, 7_000)),
    "few bytes": ("a.png", "broken", lambda: samples.png_that_claims(3_000, 3_000)),
    "text in a picture": ("a.png", "broken", samples.png_with_a_text_bomb),
    "no picture": ("a.png", "broken", lambda: b"<html>"),
    "postscript": ("a.jpg", "broken", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "half a picture": ("a.jpg", "broken", lambda: samples.picture("JPEG")[:900]),
    "locked pdf": ("a.pdf", "encrypted", samples.encrypted_pdf),
    "no pdf": ("a.pdf", "broken", lambda: b"%PDF-1.7\n%%EOF"),
    "unpacked": ("a.xlsx", "too_large", samples.bomb_sheet),
    "lies": ("a.xlsx", "broken", lambda: samples.lying_archive(samples.bomb_sheet())),
    "half a zip": ("a.xlsx", "broken", lambda: samples.workbook()[:-400]),
    "no zip": ("a.xlsx", "broken", lambda: b"PK\x03\x04"),
    "empty": ("a.xlsx", "broken", lambda: b""),
    "laughs": (
        "a.xlsx",
        "unsafe",
        lambda: samples.changed(samples.workbook(), {"xl/sharedStrings.xml": samples.entities()}),
    ),
    "wide laughs": (
        "a.xlsx",
        "unsafe",
        lambda: samples.changed(
            samples.workbook(), {"xl/sharedStrings.xml": samples.entities("utf-16")}
        ),
    ),
    "laughs in a document": (
        "a.docx",
        "unsafe",
        lambda: samples.changed(samples.document(""), {"word/document.xml": samples.entities()}),
    ),
    "macros": (
        "a.xlsm",
        "macros",
        lambda: samples.changed(samples.workbook(), {"xl/vbaProject.bin": b"x"}),
    ),
    "hidden macros": (
        "a.docx",
        "macros",
        lambda: samples.changed(samples.document(""), {"word/vbaProject.bin": b"x"}),
    ),
    "locked workbook": ("a.xlsx", "encrypted", samples.encrypted_workbook),
    "members": (
        "a.docx",
        "too_large",
        lambda: samples.archive({f"{number}.xml": b"" for number in range(6000)}),
    ),
    "no document": ("a.docx", "broken", lambda: samples.archive({"a.xml": b"<a/>"})),
    "no ods": ("a.ods", "broken", lambda: samples.archive({"content.xml": b"<a"})),
    "no xls": ("a.xls", "broken", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096)),
}


def failure(filename: str, content: bytes) -> str:
    """Why there is no preview of it. No row is needed to find out."""
    key = new_key("hostile", timezone.now())
    put(key, content)
    mime_type = "application/octet-stream"
    kind = preview_of(filename, mime_type)
    assert kind
    file = Attachment(filename=filename, mime_type=mime_type, size=len(content), storage_key=key)
    try:
        workshop.make_parts(file, kind)
    except RefusedError as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_ends_in_a_reason(name: str) -> None:
    filename, reason, build = HOSTILE[name]
    assert failure(filename, build()) == reason


@pytest.mark.parametrize("name", ["pixels", "no picture", "locked pdf", "laughs", "macros"])
def test_reason_is_kept_with_the_preview(channel: Channel, now: datetime, name: str) -> None:
    filename, reason, build = HOSTILE[name]
    make_file(channel, filename=filename, mime_type="application/octet-stream", content=build())
    make_next_preview(now=now)
    preview = Preview.objects.get()
    assert (preview.state, preview.failure) == ("failed", reason)


SURVIVED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "huge page": ("a.pdf", lambda: samples.pdf(box="0 0 1000000000 1000000000")),
    "stream bomb": ("a.pdf", samples.pdf_with_a_stream_bomb),
    "deep document": ("a.docx", lambda: samples.document(DEEP + "</w:p>" * 200_000)),
    "columns": ("a.ods", lambda: samples.open_sheet(samples.open_cell("x", 10**9))),
    "one line": ("a.py", lambda: b"(" * 200_000),
    "open quotes": ("a.js", lambda: b"`${" * 170_000),
    "one cell": ("a.csv", lambda: b'"' + b"x" * samples.MIB * 3),
}


@pytest.mark.parametrize("name", SURVIVED)
def test_exhausting_file_ends_within_the_limits(name: str) -> None:
    filename, build = SURVIVED[name]
    content, started = build(), time.monotonic()
    reason = failure(filename, content)
    assert reason in {"", "broken", "too_large", "too_slow"}
    assert time.monotonic() - started < workshop.PATIENCE_SECONDS
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert children.ru_maxrss * 1024 <= limits.MEMORY * 1.1


def test_billion_cells_are_cut() -> None:
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    sheet = samples.sheet("A1:XFD1048576", far)
    content = samples.changed(samples.workbook(), {SHEET: sheet})
    assert failure("a.xlsx", content) == ""


def test_file_beyond_the_limit_is_not_even_copied(channel: Channel, now: datetime) -> None:
    make_file(channel, filename="a.png", mime_type="image/png", size=limits.LARGEST_INPUT + 1)
    make_next_preview(now=now)
    assert Preview.objects.get().failure == "too_large"


def run_bounded(change: str, then: str) -> int:
    """How a process ends that set its limits and then does this."""
    program = f"import attachments.conversion.limits as l, resource\n{change}\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}l.bound_this_process()\n{then}"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        timeout=50,
    )
    return done.returncode


def test_kernel_ends_a_conversion_that_computes_for_ever() -> None:
    status = run_bounded("l.LIMITS[resource.RLIMIT_CPU] = 1", "while True: pass")
    assert workshop._reason(status, b"") == "too_slow"


def test_conversion_that_waits_for_ever_ends_itself() -> None:
    status = run_bounded("l.WALL_SECONDS = 1", "import threading; threading.Event().wait()")
    assert status == -signal.SIGALRM
    assert workshop._reason(status, b"") == "too_slow"


def test_conversion_gets_no_more_memory_than_its_limit() -> None:
    check = "try:\n  bytearray(2 * l.MEMORY)\nexcept MemoryError:\n  raise SystemExit(7)"
    assert run_bounded("", check) == 7


def test_conversion_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "PATIENCE_SECONDS", 0.001)
    assert failure("a.png", samples.picture()) == "too_slow"


def test_conversion_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment holds a path and nothing of ours."""
    seen: list[dict[str, str]] = []
    start = subprocess.Popen

    def watch(*args: object, **options: object) -> object:
        seen.append(options["env"])  # type: ignore[arg-type]
        return start(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", watch)
    assert failure("a.png", samples.picture()) == ""
    assert [set(env) for env in seen] == [{"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "TMPDIR"}]
