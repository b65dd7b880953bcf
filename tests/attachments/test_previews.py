"""Previews that a worker makes: what is in them, and that each is made once."""

import io
import json
import os
from datetime import datetime
from functools import partial
from importlib import import_module

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from PIL import Image
from pytest_django.fixtures import Settings

from attachments import previews
from attachments.models import Attachment, Preview, PreviewState
from attachments.previews import LEASE, MOST_ATTEMPTS, make_next_preview, want_again
from attachments.services import TextFile, link_texts, stage_texts
from attachments.storage import StorageUnavailableError, read, remove
from attachments.tasks import tick_previews
from inbox.models import Channel
from tests.attachments import samples
from tests.concurrency.together import at_once
from tests.factories import make_file, make_message


def made(file: Attachment, now: datetime) -> Preview:
    make_next_preview(now=now)
    return Preview.objects.get(attachment=file)


def part(preview: Preview, name: str) -> bytes:
    content = read(f"{preview.storage_key}/{name}", limit=10**7)
    assert content is not None
    return content


@pytest.fixture
def image(channel: Channel) -> Attachment:
    return make_file(channel, filename="a.png", mime_type="image/png", content=samples.picture())


def test_file_wants_its_preview_from_the_start(image: Attachment) -> None:
    assert (image.preview.kind, image.preview.state) == ("picture", "wanted")


def test_text_of_a_message_wants_its_preview(channel: Channel, now: datetime) -> None:
    table = TextFile("a.csv", "text/csv", "a,b\n1,2")
    staged = stage_texts(channel, files=[table], key=None, now=now)
    assert not Preview.objects.exists()
    link_texts(make_message(channel), files=staged)
    assert Preview.objects.get().kind == "table"


@pytest.mark.parametrize("filename", ["a.txt", "a.zip", "a.mp3", "a"])
def test_other_files_want_none(channel: Channel, filename: str) -> None:
    make_file(channel, filename=filename, mime_type="application/octet-stream")
    assert not Preview.objects.exists()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_picture_becomes_three_thumbnails(channel: Channel, now: datetime, form: str) -> None:
    file = make_file(
        channel,
        filename=f"a.{form.lower()}",
        mime_type=f"image/{form.lower()}",
        content=samples.picture(form, (2000, 1000)),
    )
    preview = made(file, now)
    assert preview.state == PreviewState.READY
    for size in (96, 320, 1280):
        with Image.open(io.BytesIO(part(preview, f"{size}.webp"))) as thumbnail:
            assert (thumbnail.format, thumbnail.size) == ("WEBP", (size, size // 2))


def test_small_picture_is_not_enlarged(channel: Channel, now: datetime) -> None:
    content = samples.picture(size=(40, 20))
    file = make_file(channel, filename="a.png", mime_type="image/png", content=content)
    with Image.open(io.BytesIO(part(made(file, now), "1280.webp"))) as thumbnail:
        assert thumbnail.size == (40, 20)


def test_photograph_is_upright_and_tells_nothing(channel: Channel, now: datetime) -> None:
    content = samples.photograph()
    assert b"secret camera" in content
    file = make_file(channel, filename="a.jpg", mime_type="image/jpeg", content=content)
    thumbnail = part(made(file, now), "320.webp")
    assert b"secret camera" not in thumbnail
    with Image.open(io.BytesIO(thumbnail)) as opened:
        assert opened.size == (200, 320)
        assert not opened.getexif()


def test_first_page_of_a_pdf_is_drawn(channel: Channel, now: datetime) -> None:
    file = make_file(channel, filename="a.pdf", mime_type="application/pdf", content=samples.pdf())
    preview = made(file, now)
    with Image.open(io.BytesIO(part(preview, "320.webp"))) as page:
        assert page.size == (240, 320)
        corner = page.convert("RGB").crop((50, 250, 60, 260)).resize((1, 1))
        red, green, blue = corner.tobytes()
        assert blue > 200 > red + green


def test_document_becomes_clean_html(channel: Channel, now: datetime) -> None:
    body = samples.paragraph("Plan &lt;script&gt;alert(1)&lt;/script&gt;")
    content = samples.document(body)
    file = make_file(channel, filename="a.docx", mime_type=samples.DOCX, content=content)
    html = part(made(file, now), "document.html").decode()
    assert html == "<p>Plan &lt;script&gt;alert(1)&lt;/script&gt;</p>"


def table_of(
    channel: Channel, now: datetime, content: bytes, filename: str
) -> list[dict[str, object]]:
    file = make_file(
        channel, filename=filename, mime_type="application/octet-stream", content=content
    )
    sheets: list[dict[str, object]] = json.loads(part(made(file, now), "table.json"))["sheets"]
    return sheets


@pytest.mark.parametrize(
    "content",
    [
        "Ärger,b\n1,2".encode(),
        "Ärger;b\n1;2".encode(),
        "Ärger\tb\n1\t2".encode(),
        "\ufeffÄrger,b\r\n1,2".encode(),
        "Ärger;b\n1;2".encode("cp1252"),
        "Ärger,b\n1,2".encode("utf-16"),
        '"Ärger","b"\n"1","2"\n'.encode(),
    ],
)
def test_delimited_text_is_read_whatever_its_form(
    channel: Channel, now: datetime, content: bytes
) -> None:
    (only,) = table_of(channel, now, content, "a.csv")
    assert only["rows"] == [["Ärger", "b"], ["1", "2"]]


def test_workbook_shows_its_sheets(channel: Channel, now: datetime) -> None:
    first, second = table_of(channel, now, samples.workbook(), "a.xlsx")
    assert first["name"] == "Budget"
    assert first["rows"][0] == ["0/0", "0/1", "0/2"]  # type: ignore[index]
    assert second["rows"] == [["1", "2.5", "True"]]


def test_long_and_wide_sheet_is_cut(channel: Channel, now: datetime) -> None:
    sheet, _second = table_of(channel, now, samples.workbook(rows=250, columns=60), "a.xlsx")
    rows: list[list[str]] = sheet["rows"]  # type: ignore[assignment]
    assert (len(rows), {len(row) for row in rows}) == (200, {50})
    assert (sheet["more_rows"], sheet["more_columns"]) == (True, True)


def test_open_document_is_read(channel: Channel, now: datetime) -> None:
    content = samples.open_sheet(samples.open_cell("Hello") + samples.open_cell("there"))
    (only,) = table_of(channel, now, content, "a.ods")
    assert (only["name"], only["rows"]) == ("One", [["Hello"], ["there"]])


def test_source_code_becomes_coloured_lines(channel: Channel, now: datetime) -> None:
    content = b'def f():\n    """Two\n    lines."""\n'
    file = make_file(channel, filename="a.py", mime_type="text/x-python", content=content)
    lines = json.loads(part(made(file, now), "code.json"))
    assert lines[0][0] == ["k", "def"]
    assert [line[-1] for line in lines[1:]] == [["sd", '"""Two'], ["sd", '    lines."""']]
    assert (
        "".join(text for line in lines for _name, text in [*line, ("", "\n")]) == content.decode()
    )


def test_preview_is_made_once(image: Attachment, now: datetime) -> None:
    assert make_next_preview(now=now)
    assert not make_next_preview(now=now)


def test_preview_that_somebody_makes_is_left_alone(image: Attachment, now: datetime) -> None:
    Preview.objects.update(leased_until=now + LEASE, attempts=1)
    assert not make_next_preview(now=now)
    assert make_next_preview(now=now + LEASE)
    assert Preview.objects.get().state == PreviewState.READY


def test_making_it_twice_leaves_one_copy(image: Attachment, now: datetime) -> None:
    made(image, now)
    Preview.objects.update(state=PreviewState.WANTED)
    preview = made(image, now)
    _folders, files = default_storage.listdir(preview.storage_key)
    assert sorted(files) == ["1280.webp", "320.webp", "96.webp"]


def test_file_that_ends_its_workers_is_given_up(image: Attachment, now: datetime) -> None:
    Preview.objects.update(attempts=MOST_ATTEMPTS)
    assert made(image, now).state == PreviewState.FAILED


def test_files_of_before_get_their_previews(image: Attachment, now: datetime) -> None:
    Preview.objects.all().delete()
    import_module("attachments.migrations.0004_previews_of_stored_files").want_previews(apps, None)
    assert made(image, now).state == PreviewState.READY


def test_failed_preview_can_be_made_again(image: Attachment, now: datetime) -> None:
    Preview.objects.update(state=PreviewState.FAILED, failure="too_slow", attempts=1)
    assert not make_next_preview(now=now)
    want_again(Preview.objects.all())
    assert made(image, now).state == PreviewState.READY


def test_file_without_bytes_fails(image: Attachment, now: datetime) -> None:
    remove(image.storage_key)
    assert made(image, now).failure == "gone"


def test_storage_that_is_away_is_tried_again(
    image: Attachment, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(key: str, content: bytes) -> None:
        raise StorageUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(previews, "replace", away)
        assert not make_next_preview(now=now)
    assert Preview.objects.get().state == PreviewState.WANTED
    assert made(image, now + LEASE).state == PreviewState.READY


def test_tick_makes_all_that_is_wanted(channel: Channel) -> None:
    for number in range(3):
        make_file(channel, filename=f"{number}.csv", mime_type="text/csv", content=b"a,b")
    tick_previews()
    assert set(Preview.objects.values_list("state", flat=True)) == {"ready"}


def test_tick_removes_what_dead_workers_left(db: None, settings: Settings) -> None:
    root = settings.FILE_UPLOAD_TEMP_DIR
    old, young = root / "preview-old", root / "preview-young"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    tick_previews()
    assert (old.exists(), young.exists()) == (False, True)
    young.rmdir()


@pytest.mark.django_db(transaction=True)
def test_many_workers_make_a_preview_once() -> None:
    make_file(filename="a.csv", mime_type="text/csv", content=b"a,b")
    now = Preview.objects.get().created_at
    assert sum(at_once([partial(make_next_preview, now=now)] * 4)) == 1
    preview = Preview.objects.get()
    assert (preview.state, preview.attempts) == ("ready", 1)
