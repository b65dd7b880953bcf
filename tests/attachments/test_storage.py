"""What every storage has to do, on a folder and on a real S3 server."""

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from attachments.backends import Objects
from attachments.deleting import delete_files, remove_objects
from attachments.models import Attachment
from attachments.previews import make_next_preview
from attachments.queries import FileMissingError, open_file, preview_part
from attachments.storage import (
    StorageUnavailableError,
    delete,
    is_stored,
    listing,
    open_object,
    put,
    read,
    replace,
)
from inbox.models import Channel
from tests.attachments import samples
from tests.attachments.conftest import use_storage
from tests.concurrency.together import at_once
from tests.conftest import Agent
from tests.factories import make_file
from tests.web.conftest import signed_in

KEY = "workspace/2026/11/0123456789"
# More than one part of an upload, and no round figure.
LARGE = 20 * 1024 * 1024 + 17


def test_bytes_come_back_as_they_were_written(objects: Objects) -> None:
    content = os.urandom(LARGE)
    put(KEY, ContentFile(content))
    hashed = hashlib.sha256()
    with open_object(KEY) as opened:
        assert opened.size == LARGE
        while chunk := opened.read(65536):
            assert len(chunk) <= 65536
            hashed.update(chunk)
    assert hashed.digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize(("start", "rest"), [(0, b"0123456789"), (4, b"456789"), (9, b"9")])
def test_bytes_are_read_from_anywhere(objects: Objects, start: int, rest: bytes) -> None:
    put(KEY, b"0123456789")
    with open_object(KEY, start=start) as opened:
        assert (opened.tell(), opened.size) == (start, 10)
        assert opened.read() == rest
        assert opened.read(5) == b""


def test_opened_object_can_be_read_again_from_elsewhere(objects: Objects) -> None:
    put(KEY, b"0123456789")
    with open_object(KEY) as opened:
        assert opened.read(3) == b"012"
        opened.seek(7)
        assert opened.read(2) == b"78"
        opened.seek(0)
        assert opened.read(1) == b"0"
        assert opened.seek(0, os.SEEK_END) == 10
        assert opened.read(1) == b""


def test_empty_object_is_an_object(objects: Objects) -> None:
    put(KEY, b"")
    assert is_stored(KEY)
    assert read(KEY, limit=10) == b""


def test_what_is_not_there_is_missing_and_can_be_deleted(objects: Objects) -> None:
    assert not is_stored(KEY)
    assert read(KEY, limit=10) is None
    with pytest.raises(FileNotFoundError):
        open_object(KEY)
    delete(KEY)


def test_replaced_object_has_one_content(objects: Objects) -> None:
    for content in (b"first", b"second"):
        replace(KEY, content)
    assert read(KEY, limit=100) == b"second"
    assert [each.key for each in listing()] == [KEY]


def test_many_threads_store_read_and_delete_at_once(objects: Objects) -> None:
    def there_and_back(number: int) -> bytes | None:
        key, content = f"{KEY}{number}", os.urandom(10_000)
        put(key, content)
        assert read(key, limit=20_000) == content
        delete(key)
        return read(key, limit=20_000)

    assert at_once([partial(there_and_back, number) for number in range(16)]) == [None] * 16


def test_listing_is_in_the_order_of_bytes(objects: Objects) -> None:
    names = ["b", "a/2", "a/10", "a.preview/96", "a/1/x", "a-b", "A", "a/1.preview/z", "c/d/e/f"]
    for number, name in enumerate(names):
        put(name, b"x" * number)
    listed = list(listing())
    assert [each.key for each in listed] == sorted(names, key=str.encode)
    assert {each.key: each.size for each in listed} == {n: i for i, n in enumerate(names)}
    assert all(abs((timezone.now() - each.modified_at).total_seconds()) < 60 for each in listed)


def test_nothing_is_listed_where_nothing_is(objects: Objects) -> None:
    assert list(listing()) == []


def test_storage_that_answers_has_no_problem(objects: Objects) -> None:
    assert objects.problem() is None


def test_folder_that_cannot_be_used_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    objects = use_storage(settings, {}, tmp_path / "files")
    assert "cannot be made" in (objects.problem() or "")
    with pytest.raises(StorageUnavailableError):
        put(KEY, b"hello")


# What the product does with it


@pytest.mark.django_db
def test_file_goes_in_and_out_by_the_api(objects: Objects, agent: Agent, channel: Channel) -> None:
    form = {"channelId": str(channel.pk), "file": "hello there"}
    stored = agent.send_form("/api/v1/files/store", form).json()
    assert agent.get(f"/api/v1/files/{stored['id']}/download").body == b"hello there"
    (only,) = listing()
    assert only.key == Attachment.objects.get().storage_key


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("bytes=2-4", (206, b"234")),
        ("bytes=-3", (206, b"789")),
        ("bytes=7-", (206, b"789")),
        ("bytes=10-", (416, b"")),
        ("bytes=0-99", (200, b"0123456789")),
    ],
)
def test_parts_of_files_are_served(
    objects: Objects, person: User, channel: Channel, asked: str, answered: tuple[int, bytes]
) -> None:
    file = make_file(channel, content=b"0123456789")
    answer: Any = signed_in(person).get(f"/files/{file.pk}/raw/", headers={"range": asked})
    assert (answer.status_code, answer.getvalue()) == answered


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/files/{}/raw/", "/files/{}/raw/?download=1"])
def test_file_whose_object_is_gone_is_not_found(
    objects: Objects, person: User, channel: Channel, address: str
) -> None:
    file = make_file(channel)
    delete(file.storage_key)
    assert signed_in(person).get(address.format(file.pk)).status_code == 404
    with pytest.raises(FileMissingError):
        open_file(file)


@pytest.mark.django_db
def test_previews_are_made_beside_the_bytes_and_go_with_them(
    objects: Objects, channel: Channel
) -> None:
    file = make_file(
        channel, content=samples.picture(), filename="chart.png", mime_type="image/png"
    )
    assert make_next_preview(now=timezone.now())
    file.refresh_from_db()
    assert (preview_part(file.preview, "96.webp") or b"").startswith(b"RIFF")
    assert len(list(listing())) == 4
    delete_files([file])
    remove_objects(now=timezone.now())
    assert list(listing()) == []
