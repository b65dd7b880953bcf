"""Drawing on a picture with mouse, finger and keys, until the agent has it."""

import io
from dataclasses import dataclass

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, ViewportSize

from tests.attachments import samples
from tests.e2e.stack import Stack
from tests.e2e.test_files import store
from tests.polling import happens_within

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

DESK = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
APPROVAL = {"type": "approval", "payload": {"title": "Is the chart right?"}}
type Place = tuple[float, float]


@dataclass
class Asked:
    """A review with a picture, as its agent knows it."""

    stack: Stack
    file_id: str
    review_id: str
    content: bytes

    def edited(self) -> Image.Image:
        """The picture that came with the answer."""
        answer = self.stack.call("GET", f"/api/v1/reviews/{self.review_id}").json()
        ids = answer["review"]["modifiedFileIds"]
        assert list(ids) == [self.file_id]
        got = self.stack.call("GET", f"/api/v1/files/{ids[self.file_id]}/download")
        assert got.headers["content-type"] == "image/png"
        return Image.open(io.BytesIO(got.content)).convert("RGB")

    def changed(self) -> tuple[float, float, float, float]:
        """Where it differs from the original, in shares of its size."""
        original = Image.open(io.BytesIO(self.content)).convert("RGB")
        box = ImageChops.difference(original, self.edited()).getbbox()
        assert box is not None
        width, height = original.size
        return box[0] / width, box[1] / height, box[2] / width, box[3] / height


@pytest.fixture
def asked(stack: Stack, scripted_page: Page) -> Asked:
    return ask(stack, scripted_page, samples.picture(size=(1200, 800)))


def ask(stack: Stack, page: Page, content: bytes) -> Asked:
    url = store(stack, "chart.png", "image/png", content)
    file_id = url.split("/")[-2]
    review_id = stack.ask(APPROVAL, text="Look", attachmentIds=[file_id])
    assert happens_within(30, lambda: page.request.get(f"{url}thumb/320/").ok)
    return Asked(stack, file_id, review_id, content)


def open_editor(page: Page, path: str) -> Locator:
    page.goto(path)
    page.get_by_role("button", name="Draw on it").click()
    glass = page.get_by_role("application", name="Picture to draw on")
    glass.wait_for()
    return glass


def at(glass: Locator, place: Place) -> Place:
    box = glass.bounding_box()
    assert box
    return box["x"] + box["width"] * place[0], box["y"] + box["height"] * place[1]


def drag(page: Page, glass: Locator, start: Place, end: Place) -> None:
    page.mouse.move(*at(glass, start))
    page.mouse.down()
    page.mouse.move(*at(glass, end), steps=6)
    page.mouse.up()


def said(page: Page, text: str) -> None:
    page.locator("dialog.draw [data-says]").get_by_text(text).wait_for()


def approve(page: Page) -> None:
    page.get_by_role("group", name="Annotated").wait_for()
    page.get_by_role("button", name="Approve").click()
    page.locator("#toasts").get_by_text("sent.").wait_for()


def test_drawing_with_a_mouse_beside_the_card_keeps_what_was_typed(
    asked: Asked, scripted_page: Page
) -> None:
    page = scripted_page
    page.set_viewport_size(DESK)
    page.goto(f"{asked.stack.url}/inbox/{asked.review_id}/")
    page.get_by_text("Add feedback").click()
    page.get_by_label("Feedback for the agent").fill("See the arrow")
    page.get_by_role("button", name="Draw on it").click()
    glass = page.get_by_role("application", name="Picture to draw on")
    page.get_by_role("button", name="Arrow").click()
    drag(page, glass, (0.3, 0.3), (0.6, 0.5))
    said(page, "Arrow drawn.")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("group", name="Annotated").wait_for()
    assert page.get_by_label("Feedback for the agent").input_value() == "See the arrow"
    approve(page)
    left, top, right, bottom = asked.changed()
    assert (0.25 < left < 0.32, 0.25 < top < 0.32) == (True, True)
    assert (0.58 < right < 0.65, 0.48 < bottom < 0.55) == (True, True)
    answer = asked.stack.call("GET", f"/api/v1/reviews/{asked.review_id}").json()
    assert answer["review"]["feedback"] == "See the arrow"


def test_drawing_with_a_finger(asked: Asked, scripted_page: Page) -> None:
    page = scripted_page
    page.set_viewport_size(PHONE)
    touch = page.context.new_cdp_session(page)
    glass = open_editor(page, f"{asked.stack.url}/files/{asked.file_id}/")
    for number in range(7):
        x, y = at(glass, (0.2 + 0.1 * number, 0.5))
        kind = "touchMove" if number else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    said(page, "Line drawn.")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/inbox/**")
    approve(page)
    left, top, right, bottom = asked.changed()
    assert (0.15 < left < 0.22, 0.78 < right < 0.85) == (True, True)
    assert bottom - top < 0.1


def test_note_and_box_with_the_keyboard_alone(asked: Asked, scripted_page: Page) -> None:
    page = scripted_page
    page.set_viewport_size(DESK)
    page.goto(f"{asked.stack.url}/files/{asked.file_id}/")
    page.get_by_role("button", name="Draw on it").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add note").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Too dark")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    said(page, "Column 12 of 24, row 9 of 16.")
    page.keyboard.press("Enter")
    said(page, "Note placed.")
    page.get_by_role("button", name="Box", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("application").focus()
    page.keyboard.press("Enter")
    said(page, "Started here. Go to where it ends and press Enter.")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    said(page, "Box drawn.")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/**")
    approve(page)
    left, top, _right, _bottom = asked.changed()
    assert (0.28 < left < 0.32, 0.25 < top < 0.3) == (True, True)


def test_undo_redo_and_clear_change_what_is_sent(asked: Asked, scripted_page: Page) -> None:
    page = scripted_page
    page.set_viewport_size(DESK)
    glass = open_editor(page, f"{asked.stack.url}/files/{asked.file_id}/")
    drag(page, glass, (0.1, 0.1), (0.2, 0.2))
    page.get_by_role("button", name="Clear").click()
    drag(page, glass, (0.7, 0.7), (0.8, 0.8))
    page.keyboard.press("Control+z")
    said(page, "Undone.")
    page.get_by_role("button", name="Redo").click()
    said(page, "Done again.")
    assert page.get_by_role("button", name="Redo").is_disabled()
    page.get_by_role("button", name="Zoom in").click()
    said(page, "Zoom")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/inbox/**")
    approve(page)
    left, top, _right, _bottom = asked.changed()
    assert (left > 0.65, top > 0.65) == (True, True)


def test_escape_asks_before_a_drawing_is_lost(asked: Asked, scripted_page: Page) -> None:
    page = scripted_page
    glass = open_editor(page, f"{asked.stack.url}/files/{asked.file_id}/")
    page.keyboard.press("Escape")
    assert page.locator("dialog.draw").count() == 0
    page.get_by_role("button", name="Draw on it").click()
    drag(page, glass, (0.1, 0.1), (0.2, 0.2))
    page.keyboard.press("Escape")
    assert page.get_by_role("alertdialog", name="Leave without saving?").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("alertdialog").count() == 0
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Leave").click()
    assert page.locator("dialog.draw").count() == 0
    assert page.get_by_role("button", name="Draw on it").evaluate(
        "e => e === document.activeElement"
    )


def test_leaving_the_page_with_a_drawing_warns(
    stack: Stack, watched: tuple[Page, list[str]]
) -> None:
    page, complaints = watched
    asked = ask(stack, page, samples.picture())
    glass = open_editor(page, f"{stack.url}/files/{asked.file_id}/")
    drag(page, glass, (0.1, 0.1), (0.2, 0.2))
    said(page, "Line drawn.")
    with page.expect_event("dialog"):
        page.evaluate("location.assign('/inbox/')")
    assert page.get_by_role("application").is_visible()
    assert complaints == ["dialog: "]


def test_picture_that_is_too_large_is_refused_in_words(stack: Stack, scripted_page: Page) -> None:
    page = scripted_page
    asked = ask(stack, page, samples.picture(size=(4100, 50)))
    page.goto(f"{stack.url}/files/{asked.file_id}/")
    page.get_by_role("button", name="Draw on it").click()
    page.get_by_role("alert").filter(has_text="larger than 4096 pixels").wait_for()


def test_refused_drawing_stays_on_the_screen(asked: Asked, scripted_page: Page) -> None:
    page = scripted_page
    glass = open_editor(page, f"{asked.stack.url}/files/{asked.file_id}/")
    drag(page, glass, (0.1, 0.1), (0.2, 0.2))
    page.route("**/annotate/", lambda route: route.fulfill(status=200, body="no JSON"))
    page.get_by_role("button", name="Save").click()
    said(page, "Not saved. The drawing is still here: try again.")
    page.unroute("**/annotate/")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/inbox/**")


def test_edited_copy_is_uploaded_without_javascript(stack: Stack, page: Page) -> None:
    asked = ask(stack, page, samples.picture())
    page.goto(f"{stack.url}/files/{asked.file_id}/")
    assert not page.get_by_role("button", name="Draw on it").is_visible()
    page.get_by_text("Upload an edited copy").click()
    copy = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": samples.photograph()}
    page.get_by_label("Edited copy").set_input_files(copy)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/inbox/**")
    approve(page)
    assert asked.edited().size == (400, 640)
