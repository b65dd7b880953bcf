"""The bytes of files: whole and in parts, with headers under which nothing of them can act."""

from typing import Any

import pytest
from django.test import Client

from attachments.models import Attachment
from attachments.storage import remove
from inbox.models import Channel
from tests.factories import make_file

TEXT = b"0123456789" * 100


@pytest.fixture
def song(channel: Channel) -> Attachment:
    return make_file(channel, filename="song.mp3", mime_type="audio/mpeg", content=TEXT)


def fetch(browser: Client, file: Attachment, query: str = "", **headers: str) -> Any:
    """The answer, read: its bytes are in `.body`."""
    answer: Any = browser.get(f"/files/{file.pk}/raw/{query}", headers=headers)
    answer.body = answer.getvalue()
    return answer


def test_whole_file_comes_with_its_length_and_tag(browser: Client, song: Attachment) -> None:
    answer = fetch(browser, song)
    assert (answer.status_code, answer.body) == (200, TEXT)
    assert answer["Content-Length"] == "1000"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["ETag"] == f'"{song.sha256}"'
    assert answer["Cache-Control"].startswith("private, max-age=")


@pytest.mark.parametrize(
    ("asked", "content_range", "body"),
    [
        ("bytes=0-9", "bytes 0-9/1000", TEXT[:10]),
        ("bytes=995-", "bytes 995-999/1000", TEXT[995:]),
        ("bytes=-3", "bytes 997-999/1000", TEXT[-3:]),
        ("bytes=990-5000", "bytes 990-999/1000", TEXT[990:]),
    ],
)
def test_range_answers_with_that_part(
    browser: Client, song: Attachment, asked: str, content_range: str, body: bytes
) -> None:
    answer = fetch(browser, song, range=asked)
    assert (answer.status_code, answer.body) == (206, body)
    assert answer["Content-Range"] == content_range
    assert answer["Content-Length"] == str(len(body))


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_range_beyond_the_end_is_refused(browser: Client, song: Attachment, asked: str) -> None:
    answer = fetch(browser, song, range=asked)
    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */1000"
    assert answer.body == b""


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-3", "bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=" + "9" * 40],
)
def test_range_that_makes_no_sense_is_ignored(
    browser: Client, song: Attachment, asked: str
) -> None:
    answer = fetch(browser, song, range=asked)
    assert (answer.status_code, answer.body) == (200, TEXT)


def test_part_of_another_version_becomes_the_whole(browser: Client, song: Attachment) -> None:
    stale = {"range": "bytes=0-9", "if-range": '"another"'}
    same = {"range": "bytes=0-9", "if-range": f'"{song.sha256}"'}
    assert fetch(browser, song, **stale).status_code == 200
    assert fetch(browser, song, **same).status_code == 206


def test_known_bytes_are_not_sent_again(browser: Client, song: Attachment) -> None:
    for tag in (f'"{song.sha256}"', f'W/"{song.sha256}"', f'"x", "{song.sha256}"'):
        answer = fetch(browser, song, **{"if-none-match": tag})
        assert (answer.status_code, answer.body) == (304, b"")
        assert answer["ETag"] == f'"{song.sha256}"'
        assert answer["Cache-Control"].startswith("private")
    assert fetch(browser, song, **{"if-none-match": '"other"'}).status_code == 200


def test_head_answers_without_bytes(browser: Client, song: Attachment) -> None:
    answer = browser.head(f"/files/{song.pk}/raw/")
    assert answer["Content-Length"] == "1000"
    assert answer.getvalue() == b""


def test_empty_file_is_sent(browser: Client, channel: Channel) -> None:
    empty = make_file(channel, filename="a.txt", content=b"")
    assert fetch(browser, empty).status_code == 200
    assert fetch(browser, empty, range="bytes=0-0").status_code == 200


@pytest.mark.parametrize(
    ("filename", "claimed", "sent", "how"),
    [
        ("a.png", "image/png", "image/png", "inline"),
        ("a.jpg", "image/jpg", "image/jpeg", "inline"),
        ("a.png", "application/octet-stream", "image/png", "inline"),
        ("a.webm", "video/webm", "video/webm", "inline"),
        ("a.pdf", "application/pdf", "application/pdf", "inline"),
        ("a.svg", "image/svg+xml", "image/svg+xml", "attachment"),
        ("a.html", "text/html", "text/plain; charset=utf-8", "inline"),
        ("a.png", "text/html", "text/plain; charset=utf-8", "inline"),
        ("a.js", "text/javascript", "text/plain; charset=utf-8", "inline"),
        ("a.css", "text/css", "text/plain; charset=utf-8", "inline"),
        ("a.csv", "text/csv", "text/plain; charset=utf-8", "inline"),
        ("a.json", "application/json", "text/plain; charset=utf-8", "inline"),
        ("a.xml", "application/xml", "text/plain; charset=utf-8", "inline"),
        ("a.xhtml", "application/xhtml+xml", "text/plain; charset=utf-8", "inline"),
        ("a.zip", "application/zip", "application/octet-stream", "attachment"),
        ("a.tiff", "image/tiff", "application/octet-stream", "attachment"),
        ("a", "multipart/mixed", "application/octet-stream", "attachment"),
    ],
)
def test_type_is_one_of_the_allow_list(
    browser: Client, channel: Channel, *, filename: str, claimed: str, sent: str, how: str
) -> None:
    file = make_file(channel, filename=filename, mime_type=claimed)
    answer = fetch(browser, file)
    assert answer["Content-Type"] == sent
    assert answer["Content-Disposition"].startswith(f"{how}; ")


@pytest.mark.parametrize("query", ["", "?render=1", "?download=1"])
@pytest.mark.parametrize(
    ("filename", "claimed"),
    [("a.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.png", "image/png"), ("a", "x/y")],
)
def test_bytes_are_boxed_in(
    browser: Client, channel: Channel, filename: str, claimed: str, query: str
) -> None:
    answer = fetch(browser, make_file(channel, filename=filename, mime_type=claimed), query)
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "allow-" not in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" not in answer["Cache-Control"]


def test_html_is_a_page_only_when_asked_for(browser: Client, channel: Channel) -> None:
    page = make_file(channel, filename="a.html", mime_type="text/html")
    drawing = make_file(channel, filename="a.svg", mime_type="image/svg+xml")
    assert fetch(browser, page, "?render=1")["Content-Type"] == "text/html; charset=utf-8"
    assert fetch(browser, drawing, "?render=1")["Content-Type"] == "image/svg+xml"


def test_download_saves_under_the_files_own_name(browser: Client, channel: Channel) -> None:
    file = make_file(channel, filename='Prüfung "1".png', mime_type="image/png")
    answer = fetch(browser, file, "?download=1")
    assert answer["Content-Disposition"] == (
        'attachment; filename="Pr%C3%BCfung %221%22.png"; '
        "filename*=UTF-8''Pr%C3%BCfung%20%221%22.png"
    )
    assert answer["Content-Type"] == "application/octet-stream"


def test_file_without_its_bytes_is_not_found(browser: Client, song: Attachment) -> None:
    remove(song.storage_key)
    assert browser.get(f"/files/{song.pk}/raw/").status_code == 404


def test_unfinished_upload_is_not_found(browser: Client, song: Attachment) -> None:
    Attachment.objects.update(state="staged")
    assert browser.get(f"/files/{song.pk}/raw/").status_code == 404


def test_viewer_may_read_bytes(viewer: Client, song: Attachment) -> None:
    assert fetch(viewer, song).body == TEXT


def test_bytes_can_only_be_read(browser: Client, song: Attachment) -> None:
    assert browser.post(f"/files/{song.pk}/raw/").status_code == 405
