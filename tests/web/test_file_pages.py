"""The list of files and the viewer: every kind is shown, and nothing of it can act."""

import pytest
from django.test import Client

from accounts.models import Workspace
from attachments.models import Attachment, Preview
from attachments.storage import remove
from attachments.tasks import tick_previews
from inbox.models import Channel
from tests.attachments import samples
from tests.factories import make_channel, make_file, make_message, make_review
from tests.web.test_query_counts import statements

UNKNOWN = "application/octet-stream"


def shown(browser: Client, file: Attachment, query: str = "") -> str:
    """The page of a file, once its preview is made."""
    tick_previews()
    answer = browser.get(f"/files/{file.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def sent(channel: Channel, filename: str, content: bytes) -> Attachment:
    return make_file(channel, filename=filename, mime_type=UNKNOWN, content=content)


def names(browser: Client, query: str = "") -> list[str]:
    return [row.file.filename for row in browser.get(f"/files/{query}").context["rows"]]


def test_list_begins_with_the_newest(browser: Client, channel: Channel) -> None:
    for name in ("one.txt", "two.txt", "three.txt"):
        make_file(channel, filename=name)
    assert names(browser) == ["three.txt", "two.txt", "one.txt"]


def test_list_is_cut_in_pages(browser: Client, channel: Channel) -> None:
    for number in range(51):
        make_file(channel, filename=f"{number}.txt")
    first = browser.get("/files/")
    assert len(first.context["rows"]) == 50
    assert names(browser, first.context["next_page"]) == ["0.txt"]


def test_list_is_narrowed_by_name_kind_and_channel(
    browser: Client, workspace: Workspace, channel: Channel
) -> None:
    other = make_channel(workspace, name="Other")
    make_file(channel, filename="plan.png", mime_type="image/png")
    make_file(channel, filename="plan.csv", mime_type="application/vnd.ms-excel")
    make_file(other, filename="100%_plan.pdf", mime_type="application/pdf")
    make_file(other, filename="clip.mp4", mime_type=UNKNOWN)
    make_file(other, filename="note.md", mime_type="text/markdown")
    assert names(browser, "?q=PLAN&kind=images") == ["plan.png"]
    assert names(browser, "?kind=tables") == ["plan.csv"]
    assert names(browser, "?kind=media") == ["clip.mp4"]
    assert names(browser, "?kind=documents") == ["100%_plan.pdf"]
    assert names(browser, "?kind=text") == ["note.md"]
    assert names(browser, f"?channel={channel.pk}") == ["plan.csv", "plan.png"]
    assert names(browser, "?q=%25_") == ["100%_plan.pdf"]
    assert len(names(browser, "?kind=unheard-of")) == 5


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=x", 404),
        ("cursor=%00", 404),
        ("channel=x", 404),
        ("q=%00", 200),
        ("q=" + "x" * 999, 200),
    ],
)
def test_odd_filters_are_no_failure(browser: Client, query: str, status: int) -> None:
    assert browser.get(f"/files/?{query}").status_code == status


def test_empty_lists_say_so(browser: Client) -> None:
    assert b"No files yet" in browser.get("/files/").content
    assert b"Nothing matches" in browser.get("/files/?q=x").content


def test_list_costs_the_same_for_any_number_of_files(browser: Client, channel: Channel) -> None:
    sent(channel, "0.png", samples.picture())
    few = statements(browser, "/files/")
    for number in range(30):
        sent(channel, f"{number}.png", samples.picture(size=(4, 4)))
    assert statements(browser, "/files/") == few <= 8


def test_file_costs_the_same_for_any_neighbours(browser: Client, channel: Channel) -> None:
    few = statements(browser, f"/files/{make_file(channel, message=make_message(channel)).pk}/")
    message = make_message(channel)
    files = [make_file(channel, message=message, position=number) for number in range(9)]
    assert statements(browser, f"/files/{files[4].pk}/") == few <= 10


def test_page_tells_what_the_file_is(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel)
    file = make_file(channel, filename="a.zip", mime_type="application/zip", message=review.message)
    page = shown(browser, file)
    assert '<h1 id="detail-title">a.zip</h1>' in page
    assert "application/zip" in page
    assert "5\xa0bytes" in page
    assert f'href="/inbox/{review.pk}/"' in page
    assert f'href="/files/{file.pk}/raw/?download=1"' in page
    assert "Files of this kind have no preview" in page


def test_file_leads_to_its_message_in_the_conversation(browser: Client, channel: Channel) -> None:
    message = make_message(channel)
    page = shown(browser, make_file(channel, message=message))
    assert f'href="/channels/{channel.pk}/#m-{message.pk}"' in page


def test_files_of_a_message_are_neighbours(browser: Client, channel: Channel) -> None:
    message = make_message(channel)
    first, middle, last = (
        make_file(channel, filename=f"{number}.txt", message=message, position=number)
        for number in range(3)
    )
    viewer = browser.get(f"/files/{middle.pk}/?q=txt").context["viewer"]
    assert (viewer.previous, viewer.following) == (
        f"/files/{first.pk}/?q=txt",
        f"/files/{last.pk}/?q=txt",
    )
    assert [tab.label for tab in viewer.tabs] == ["0.txt", "1.txt", "2.txt"]
    assert 'rel="prev"' not in shown(browser, first)
    assert 'rel="next"' not in shown(browser, last)


def test_picture_is_shown_and_leads_to_the_original(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.png", samples.picture())
    page = shown(browser, file)
    assert f'src="/files/{file.pk}/thumb/1280/"' in page
    assert f'href="/files/{file.pk}/raw/"' in page


@pytest.mark.parametrize("size", [96, 320, 1280])
def test_thumbnail_is_a_small_picture(viewer: Client, channel: Channel, size: int) -> None:
    file = sent(channel, "a.png", samples.picture())
    tick_previews()
    answer = viewer.get(f"/files/{file.pk}/thumb/{size}/")
    assert answer["Content-Type"] == "image/webp"
    assert answer.content.startswith(b"RIFF")
    assert answer["Cache-Control"].startswith("private")
    assert answer["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize("size", ["0", "97", "99999999999999999999", "-1", "x"])
def test_no_other_thumbnails(browser: Client, channel: Channel, size: str) -> None:
    file = sent(channel, "a.png", samples.picture())
    tick_previews()
    assert browser.get(f"/files/{file.pk}/thumb/{size}/").status_code == 404


def test_thumbnail_that_is_not_made_is_not_found(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.png", samples.picture())
    assert browser.get(f"/files/{file.pk}/thumb/96/").status_code == 404


@pytest.mark.parametrize(
    ("filename", "element"),
    [
        ("a.svg", "<img src="),
        ("a.mp3", "<audio controls"),
        ("a.mp4", "<video controls"),
        ("a.pdf", '<iframe class="frame only-wide"'),
    ],
)
def test_media_are_shown_by_the_browser(
    browser: Client, channel: Channel, filename: str, element: str
) -> None:
    file = sent(channel, filename, b"x")
    page = shown(browser, file)
    assert element in page
    assert f'src="/files/{file.pk}/raw/"' in page


def test_table_has_tabs_of_sheets(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.xlsx", samples.workbook())
    assert '<th scope="col">C</th>' in shown(browser, file)
    assert "<td>2/2</td>" in shown(browser, file)
    second = shown(browser, file, "?sheet=2")
    assert "<td>2.5</td>" in second
    assert f'href="/files/{file.pk}/?sheet=2" aria-current="true"' in second


@pytest.mark.parametrize("sheet", ["0", "99", "-1", "x", "\u0663", "9" * 5000])
def test_sheet_that_is_not_there_is_the_first(
    browser: Client, channel: Channel, sheet: str
) -> None:
    file = sent(channel, "a.xlsx", samples.workbook())
    assert "<td>2/2</td>" in shown(browser, file, f"?sheet={sheet}")


def test_cut_table_says_so(browser: Client, channel: Channel) -> None:
    assert "first 200 rows" in shown(browser, sent(channel, "a.xlsx", samples.workbook(rows=201)))


def test_document_is_shown_without_its_markup(browser: Client, channel: Channel) -> None:
    body = samples.paragraph("Plan &lt;img src=x onerror=alert(1)&gt; \u202eexe")
    page = shown(browser, sent(channel, "a.docx", samples.document(body)))
    assert "<p>Plan &lt;img src=x onerror=alert(1)&gt; \u2423U+202Eexe</p>" in page


def test_source_has_numbers_and_colours(browser: Client, channel: Channel) -> None:
    page = shown(browser, sent(channel, "a.py", b"def f():\n    return '<b>'\n"))
    assert '<td class="n">2</td>' in page
    assert '<span class="hl-k">def</span>' in page
    assert "&lt;b&gt;" in page


def test_text_is_shown_before_a_worker_was_there(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.py", "x = '\u200b<b>'".encode())
    page = browser.get(f"/files/{file.pk}/").content.decode()
    mark = '<span class="hidden-char" title="zero-width space">\u2423U+200B</span>'
    assert f"<td>x = &#x27;{mark}&lt;b&gt;&#x27;</td>" in page


def test_long_text_is_cut(browser: Client, channel: Channel) -> None:
    page = shown(browser, sent(channel, "a.log", b"x" * 600 * 1024))
    assert "first 512 KB" in page


def test_delimited_text_can_be_read_as_it_is(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.csv", b"one;two\n1;2")
    assert "<td>two</td>" in shown(browser, file)
    assert "<td>one;two</td>" in shown(browser, file, "?view=source")


def test_markdown_is_rendered_and_can_be_read_as_it_is(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.md", b"**Plan** <script>")
    assert "<strong>Plan</strong> &lt;script&gt;" in shown(browser, file)
    assert "**Plan**" in shown(browser, file, "?view=source")


def test_html_is_source_until_asked_for(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.html", b"<script>alert(1)</script>")
    page = shown(browser, file)
    assert "<iframe" not in page
    assert "alert" in page
    assert "<script>" not in page
    boxed = shown(browser, file, "?view=sandbox")
    assert f'<iframe class="frame" sandbox src="/files/{file.pk}/raw/?render=1"' in boxed


def test_preview_in_the_making_says_so(browser: Client, channel: Channel) -> None:
    file = sent(channel, "a.xlsx", samples.workbook())
    page = browser.get(f"/files/{file.pk}/").content.decode()
    assert "preview is being made" in page


def test_failed_preview_says_why(browser: Client, channel: Channel) -> None:
    page = shown(browser, sent(channel, "a.docx", b"PK"))
    assert "No preview: the file is damaged or not what its name says." in page


def test_file_whose_bytes_are_gone_says_so(browser: Client, channel: Channel) -> None:
    file = make_file(channel, message=make_message(channel), mime_type="text/csv", filename="a.csv")
    remove(file.storage_key)
    page = shown(browser, file)
    assert "The stored file is gone" in page
    assert "?download=1" not in page
    assert "the stored file is gone" in browser.get(f"/channels/{channel.pk}/").content.decode()


def test_hidden_characters_of_a_name_are_shown(browser: Client, channel: Channel) -> None:
    file = make_file(channel, message=make_message(channel))
    Attachment.objects.filter(pk=file.pk).update(filename="invoice\u202egnp.exe")
    for path in ("/files/", f"/files/{file.pk}/", f"/channels/{channel.pk}/"):
        page = browser.get(path).content.decode()
        mark = '<span class="hidden-char" title="right-to-left override">\u2423U+202E</span>'
        assert f"invoice{mark}gnp.exe" in page


def test_tile_in_a_conversation_leads_to_the_viewer(browser: Client, channel: Channel) -> None:
    file = make_file(
        channel,
        message=make_message(channel),
        filename="a.png",
        mime_type="image/png",
        content=samples.picture(),
    )
    before = browser.get(f"/channels/{channel.pk}/").content.decode()
    assert f'href="/files/{file.pk}/"' in before
    assert "/thumb/" not in before
    tick_previews()
    assert (
        f'src="/files/{file.pk}/thumb/320/"'
        in browser.get(f"/channels/{channel.pk}/").content.decode()
    )


ROUTES = ["", "?view=source", "raw/", "raw/?render=1", "thumb/96/"]


@pytest.mark.parametrize("route", ROUTES)
def test_stranger_finds_no_file(outsider: Client, channel: Channel, route: str) -> None:
    file = sent(channel, "a.png", samples.picture())
    tick_previews()
    assert outsider.get(f"/files/{file.pk}/{route}").status_code == 404


def test_stranger_sees_no_foreign_rows(outsider: Client, channel: Channel) -> None:
    make_file(channel, filename="secret.txt")
    assert b"secret.txt" not in outsider.get("/files/").content
    assert outsider.get(f"/files/?channel={channel.pk}").status_code == 404


@pytest.mark.parametrize("route", ["", "raw/", "thumb/96/"])
def test_signed_out_person_is_led_to_the_door(client: Client, channel: Channel, route: str) -> None:
    file = sent(channel, "a.png", samples.picture())
    answer = client.get(f"/files/{file.pk}/{route}")
    assert answer["Location"].startswith("/sign-in/?next=")
    assert client.get("/files/").status_code == 302


@pytest.mark.parametrize("route", ["", "raw/", "thumb/96/"])
def test_unknown_file_is_not_found(browser: Client, route: str) -> None:
    assert browser.get(f"/files/01890000-0000-7000-8000-000000000000/{route}").status_code == 404
    assert browser.get(f"/files/x/{route}").status_code == 404


def test_viewer_may_look(viewer: Client, channel: Channel) -> None:
    file = make_file(channel)
    assert viewer.get("/files/").status_code == 200
    assert "hello" in shown(viewer, file)


def test_files_stored_before_there_were_previews_are_shown(
    browser: Client, channel: Channel
) -> None:
    file = sent(channel, "a.png", samples.picture())
    Preview.objects.all().delete()
    page = shown(browser, Attachment.objects.get(pk=file.pk))
    assert "No preview." in page
