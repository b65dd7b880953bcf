"""What only a bucket does: links for browsers, refusals, and servers that do not answer."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from attachments.backends import Objects, s3
from attachments.links import download_link
from attachments.models import Attachment
from attachments.previews import make_next_preview
from attachments.queries import inline_text, open_file
from attachments.storage import (
    StorageUnavailableError,
    delete,
    drop_unfinished,
    is_stored,
    listing,
    open_object,
    put,
    read,
)
from inbox.models import Channel
from tests.attachments.conftest import environment_of, use_storage
from tests.ceph import BUCKET, Ceph
from tests.conftest import Agent
from tests.factories import make_file
from tests.polling import happens_within
from tests.postgres import free_port
from tests.web.conftest import signed_in

pytestmark = pytest.mark.s3

KEY = "workspace/2026/11/0123456789"


@pytest.fixture
def public(ceph: Ceph, bucket: Objects, settings: Settings, tmp_path: Path) -> Objects:
    """The bucket, which browsers reach by another name than the server."""
    address = f"http://localhost:{ceph.port}"
    return use_storage(settings, environment_of(ceph, S3_PUBLIC_URL=address), tmp_path)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """It takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def link_to(channel: Channel) -> str:
    file = make_file(channel, content=b"<script>", filename="grün.html", mime_type="text/html")
    link = download_link(file)
    assert link is not None
    return link


# Links


@pytest.mark.django_db
def test_link_gives_bytes_that_a_browser_only_saves(public: Objects, channel: Channel) -> None:
    link = link_to(channel)
    assert link.startswith("http://localhost:")
    answer = requests.get(link, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"<script>")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"gr%C3%BCn.html\"; filename*=UTF-8''gr%C3%BCn.html"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("octet-stream", "html"),
        ("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("attachment", "inline"),
        ("/files/", "/files/another/"),
        ("?", "?none="),
    ],
)
def test_link_that_was_tampered_with_is_refused(
    public: Objects, channel: Channel, written: str, instead: str
) -> None:
    link = link_to(channel)
    assert requests.get(link, timeout=10).status_code == 200
    assert written in link
    assert requests.get(link.replace(written, instead, 1), timeout=10).status_code in {400, 403}


def test_link_that_expired_is_refused(public: Objects) -> None:
    put(KEY, b"hello")
    link = public.download_link(KEY, seconds=1, disposition="attachment")
    assert link is not None
    assert requests.get(link, timeout=10).status_code == 200
    assert happens_within(5, lambda: requests.get(link, timeout=10).status_code == 403)


def test_link_is_for_reading_alone(public: Objects) -> None:
    put(KEY, b"hello")
    link = public.download_link(KEY, seconds=60, disposition="attachment")
    assert link is not None
    for method in ("PUT", "DELETE"):
        assert requests.request(method, link, data=b"other", timeout=10).status_code == 403
    assert read(KEY, limit=100) == b"hello"


def test_objects_are_private_and_only_ever_saved(ceph: Ceph, bucket: Objects) -> None:
    put(KEY, b"<script>")
    assert requests.get(f"{ceph.url}/{BUCKET}/{KEY}", timeout=10).status_code == 403
    found: Any = ceph.client().head_object(Bucket=BUCKET, Key=KEY)
    assert found["ContentType"] == "application/octet-stream"
    assert found["ContentDisposition"] == "attachment"


@pytest.mark.django_db
def test_browser_that_saves_is_sent_to_the_bucket(
    public: Objects, person: User, channel: Channel
) -> None:
    file = make_file(channel, content=b"hello")
    browser = signed_in(person)
    answer = browser.get(f"/files/{file.pk}/raw/?download=1")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    assert requests.get(answer["Location"], timeout=10).content == b"hello"
    shown: Any = browser.get(f"/files/{file.pk}/raw/")
    assert (shown.status_code, shown.getvalue()) == (200, b"hello")


@pytest.mark.django_db
def test_agent_gets_bytes_and_is_never_sent_elsewhere(
    public: Objects, agent: Agent, channel: Channel
) -> None:
    file = make_file(channel, content=b"hello")
    answer = agent.get(f"/api/v1/files/{file.pk}/download")
    assert (answer.status_code, answer.body) == (200, b"hello")


@pytest.mark.django_db
def test_without_a_public_address_there_is_no_link(bucket: Objects, channel: Channel) -> None:
    assert download_link(make_file(channel)) is None


# Refusals


def test_each_wrong_setting_is_named(ceph: Ceph, settings: Settings, tmp_path: Path) -> None:
    wrong = {
        "S3_BUCKET": "elsewhere",
        "S3_ACCESS_KEY_ID": "nobody",
        "S3_SECRET_ACCESS_KEY": "a guess",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    }
    for name, value in wrong.items():
        objects = use_storage(settings, environment_of(ceph, **{name: value}), tmp_path)
        said = objects.problem() or ""
        assert name in said
        assert "\n" not in said


def test_check_says_it_in_one_line(
    ceph: Ceph, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use_storage(settings, environment_of(ceph, S3_BUCKET="elsewhere"), tmp_path)
    call_command("check", "--tag", "files")
    said = capsys.readouterr().err
    assert "File storage: there is no bucket elsewhere: make it, or mend S3_BUCKET." in said


@pytest.mark.django_db
def test_start_goes_on_and_says_what_is_wrong(
    ceph: Ceph, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use_storage(settings, environment_of(ceph, S3_SECRET_ACCESS_KEY="a guess"), tmp_path)
    call_command("setup")
    said = capsys.readouterr()
    assert "File storage: the secret of the key is wrong" in said.err
    assert "Licet is set up" in said.out


@pytest.mark.parametrize(
    "over",
    [{"S3_BUCKET": "elsewhere"}, {"S3_SECRET_ACCESS_KEY": "a guess"}],
    ids=["no bucket", "wrong secret"],
)
def test_refusals_are_no_missing_files(
    ceph: Ceph, settings: Settings, tmp_path: Path, over: dict[str, str]
) -> None:
    use_storage(settings, environment_of(ceph, **over), tmp_path)
    for ask in (
        lambda: put(KEY, b"hello"),
        lambda: open_object(KEY),
        lambda: read(KEY, limit=5),
        lambda: list(listing()),
    ):
        with pytest.raises(StorageUnavailableError):
            ask()


def test_server_that_says_nothing_is_not_waited_for(
    ceph: Ceph,
    silent_server: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3, "SILENCE_SECONDS", 0.2)
    use_storage(settings, environment_of(ceph, S3_ENDPOINT_URL=silent_server), tmp_path)
    started = time.monotonic()
    for ask in (
        lambda: put(KEY, b"hello"),
        lambda: open_object(KEY),
        lambda: is_stored(KEY),
        lambda: delete(KEY),
    ):
        with pytest.raises(StorageUnavailableError):
            ask()
    assert time.monotonic() - started < 4 * s3.MOST_TRIES * 2


def test_server_that_is_away_is_left_alone_for_a_moment(
    ceph: Ceph,
    silent_server: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3, "SILENCE_SECONDS", 0.5)
    use_storage(settings, environment_of(ceph, S3_ENDPOINT_URL=silent_server), tmp_path)

    def seconds_of(times: int) -> float:
        started = time.monotonic()
        for _ in range(times):
            with pytest.raises(StorageUnavailableError):
                read(KEY, limit=5)
        return time.monotonic() - started

    waited = seconds_of(1)
    assert waited > s3.MOST_TRIES * 0.5
    assert seconds_of(50) < waited
    assert happens_within(2 * s3.REST_SECONDS, lambda: seconds_of(1) > 0.5)  # asked again


def test_server_that_dies_in_the_middle_of_a_download_is_no_end_of_file(
    ceph: Ceph, settings: Settings, tmp_path: Path
) -> None:
    def answer_half(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_half, args=[listener])
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        use_storage(settings, environment_of(ceph, S3_ENDPOINT_URL=address), tmp_path)
        with open_object(KEY) as opened:
            assert opened.read(5) == b"01234"
            with pytest.raises(StorageUnavailableError):
                opened.read(5)
        thread.join()


@pytest.fixture
def unreachable(ceph: Ceph, bucket: Objects, channel: Channel, settings: Settings) -> Attachment:
    """A stored Markdown file, and then its storage is away."""
    file = make_file(channel, content=b"# Hello", filename="a.md", mime_type="text/markdown")
    address = f"http://127.0.0.1:{free_port()}"
    use_storage(settings, environment_of(ceph, S3_ENDPOINT_URL=address), Path("unused"))
    return file


@pytest.mark.django_db
def test_agent_is_told_that_the_storage_is_away(
    unreachable: Attachment, agent: Agent, channel: Channel
) -> None:
    got = agent.get(f"/api/v1/files/{unreachable.pk}/download")
    form = {"channelId": str(channel.pk), "file": "hello"}
    sent = agent.send_form("/api/v1/files/store", form)
    for answer in (got, sent):
        assert answer.status_code == 503
        assert "Try again" in answer.json()["message"]
    assert inline_text(unreachable) is None


@pytest.mark.django_db
def test_pages_say_that_the_storage_is_away(unreachable: Attachment, person: User) -> None:
    browser = signed_in(person)
    raw = browser.get(f"/files/{unreachable.pk}/raw/")
    assert (raw.status_code, raw["Retry-After"]) == (503, "10")
    page = browser.get(f"/files/{unreachable.pk}/")
    assert page.status_code == 200
    assert "The file storage does not answer" in page.content.decode()


@pytest.mark.django_db
def test_preview_waits_for_the_storage(unreachable: Attachment) -> None:
    assert not make_next_preview(now=timezone.now())
    unreachable.preview.refresh_from_db()
    assert (unreachable.preview.state, unreachable.preview.attempts) == ("wanted", 1)


@pytest.mark.django_db
def test_file_of_a_storage_that_is_away_is_not_called_missing(unreachable: Attachment) -> None:
    with pytest.raises(StorageUnavailableError):
        open_file(unreachable)


# What uploads leave


def test_parts_of_an_upload_that_nobody_ended_go_away(ceph: Ceph, bucket: Objects) -> None:
    client: Any = ceph.client()
    started = client.create_multipart_upload(Bucket=BUCKET, Key=KEY)
    ours = {"Bucket": BUCKET, "Key": KEY, "UploadId": started["UploadId"]}
    client.upload_part(**ours, PartNumber=1, Body=b"x" * 1024)
    assert drop_unfinished(before=timezone.now() - timedelta(hours=1)) == 0
    assert drop_unfinished(before=timezone.now() + timedelta(hours=1)) == 1
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)
