"""Several files as one archive over the people's JSON API."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from api.people.views import files as views
from attachments import archives
from attachments.models import Attachment
from attachments.storage import remove
from inbox.models import Channel
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller
from tests.factories import (
    make_file,
)

ZIP = "/api/files/bulk-download"

pytestmark = pytest.mark.django_db


def archive_of(answer: Any) -> zipfile.ZipFile:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == 'attachment; filename="files.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    return archive


def contents(archive: zipfile.ZipFile) -> list[tuple[str, bytes]]:
    return [(name, archive.read(name)) for name in archive.namelist()]


def zipped(caller: Caller, *files: Attachment) -> Any:
    return caller.post(ZIP, {"ids": [str(file.pk) for file in files]})


def test_archive_holds_the_files_in_the_order_asked_for(caller: Caller, channel: Channel) -> None:
    one = make_file(channel, filename="ä.txt", content=b"1" * 200_000)
    two = make_file(channel, filename="b.txt", content=b"")
    archive = archive_of(zipped(caller, two, one, two))
    assert contents(archive) == [("b.txt", b""), ("ä.txt", b"1" * 200_000)]


def test_names_in_an_archive_are_safe_and_each_is_there_once(
    caller: Caller, channel: Channel
) -> None:
    names = ["a.txt", "A.TXT", "a.txt", "noend", "noend", "../../etc/passwd", "a\\b.txt", "."]
    names += ["FILES THAT ARE MISSING.txt"]
    files = [make_file(channel) for _ in names]
    for file, name in zip(files, names, strict=True):
        Attachment.objects.filter(pk=file.pk).update(filename=name)
    shown = archive_of(zipped(caller, *files)).namelist()
    assert shown[:5] == ["a.txt", "A (2).TXT", "a (3).txt", "noend", "noend (2)"]
    assert shown[5:] == ["passwd", "b.txt", "file", "FILES THAT ARE MISSING (2).txt"]


def test_file_whose_bytes_are_gone_is_named_and_keeps_no_other_back(
    caller: Caller, channel: Channel
) -> None:
    gone, there = make_file(channel, filename="gone.txt"), make_file(channel)
    remove(gone.storage_key)
    archive = archive_of(zipped(caller, gone, there))
    assert contents(archive) == [
        ("a.txt", b"hello"),
        ("FILES THAT ARE MISSING.txt", b"gone.txt\n"),
    ]


def test_archive_is_made_while_it_is_sent(
    caller: Caller, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mega = b"x" * 1024 * 1024
    files = [make_file(channel, content=mega * 3) for _ in range(3)]
    largest = 0

    def watched(given: Any) -> Iterator[bytes]:
        nonlocal largest
        for piece in original(given):
            largest = max(largest, len(piece))
            yield piece

    original = archives.zipped
    monkeypatch.setattr(views, "zipped", watched)
    answer = zipped(caller, *files)
    assert len(answer.body) > 9 * len(mega)
    assert largest < 200_000
    assert [len(content) for _, content in contents(archive_of(answer))] == [3 * len(mega)] * 3


def test_archive_is_bounded(
    caller: Caller, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(channel)
    assert_refused(caller.post(ZIP, {"ids": []}), 400)
    assert_refused(caller.post(ZIP, {"ids": [str(file.pk)] * 101}), 400)
    monkeypatch.setattr(views, "LARGEST_ARCHIVE", 9)
    assert_refused(zipped(caller, file, make_file(channel)), 400)
    archive_of(zipped(caller, file, file))


def test_one_foreign_file_refuses_them_all(
    caller: Caller, channel: Channel, stranger: Agent
) -> None:
    mine, foreign = make_file(channel), make_file(Channel.objects.get(name="Foreign"))
    refused = assert_refused(zipped(caller, mine, foreign), 404)
    assert refused["message"] == "Attachment not found"
    assert refused["errors"][0]["path"] == ["ids", 1]
