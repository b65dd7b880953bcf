"""Triage by the keyboard alone, in a real browser with the real scripts."""

import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.people import sign_in
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

APPROVAL = {"type": "approval", "payload": {"allowComment": True}}
PICK = [{"id": "a", "label": "Alpha"}, {"id": "b", "label": "Beta"}, {"id": "c", "label": "Gamma"}]
ONE = {"type": "selection", "payload": {"mode": "single", "items": PICK}}
MANY = {"type": "selection", "payload": {"mode": "multi", "items": PICK}}
WORDS = {"type": "text-input", "payload": {"placeholder": "Write"}}
FIELDS = {
    "type": "form",
    "payload": {"fields": [{"name": "amount", "type": "text", "label": "Amount"}]},
}
FREE = {"type": "freeform", "payload": {}}
DISMISSABLE = {
    "type": "selection",
    "payload": {"mode": "single", "items": PICK, "dismissLabel": "None of these"},
}
RISKY = {
    "type": "approval",
    "payload": {"options": [{"id": "drop", "label": "Drop it", "confirm": True}]},
}
BUDGET_MS = 100


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("var"), migrated=True) as running:
        yield running


@pytest.fixture
def page(product: Stack, browser: Browser) -> Iterator[Page]:
    """A signed-in person at a desk; whatever the console says fails, and so does the policy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sign_in(page, product.url)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


class Desk:
    """A channel of its own in the inbox of one page, and what a person does there with keys."""

    def __init__(self, product: Stack, page: Page) -> None:
        self.product, self.page = product, page
        made = product.call("POST", "/api/v1/agents", {"name": "Keys"})
        self.channel = str(made.json()["id"])

    def open(self, *reviews: dict[str, Any], select: int = 1) -> list[str]:
        """Ask so that the first question stands on top of the list, and open that one."""
        numbered = list(enumerate(reviews, 1))
        asked = [
            self.product.ask(review, text=f"Question {number}", channelId=self.channel)
            for number, review in reversed(numbered)
        ]
        self.page.goto(f"{self.product.url}/inbox/?channel={self.channel}")
        self.sees(select)
        return list(reversed(asked))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def sees(self, number: int) -> None:
        expect(self.page.locator("#detail-title")).to_have_text(f"Question {number}")

    def focus_is_on(self, selector: str) -> None:
        expect(self.page.locator(selector).first).to_be_focused()

    def status(self, review: str) -> Any:
        return self.product.call("GET", f"/api/v1/reviews/{review}").json()["review"]["status"]

    def answer(self, review: str) -> Any:
        found: Any = self.product.wait_for(review)
        return found["message"]["review"]["response"]


@pytest.fixture
def desk(product: Stack, page: Page) -> Desk:
    return Desk(product, page)


Step = Callable[[Desk], None]


def approve(desk: Desk) -> None:
    desk.press("1")
    desk.focus_is_on("button[name=option]")
    desk.press("Enter")


def reject(desk: Desk) -> None:
    desk.press("2", "Enter")


def comment(desk: Desk) -> None:
    desk.press("c")
    desk.focus_is_on("#answer-comment")
    desk.page.keyboard.type("j and 2 are only letters here")
    desk.press("Escape", "1", "Enter")


def feedback(desk: Desk) -> None:
    desk.press("r")
    desk.focus_is_on("#answer-feedback")
    desk.page.keyboard.type("Smaller steps")
    desk.press("Escape", "2", "Control+Enter")


def pick_second(desk: Desk) -> None:
    desk.press("2")
    expect(desk.page.get_by_role("radio", name="Beta")).to_be_checked()
    desk.press("Enter")


def pick_two(desk: Desk) -> None:
    desk.press("1", "3", "2", "2")
    expect(desk.page.get_by_role("checkbox", name="Beta")).not_to_be_checked()
    desk.press("Control+Enter")


def write(desk: Desk) -> None:
    desk.press("1")
    desk.page.keyboard.type("Dear customer")
    desk.press("Control+Enter")


def fill_in(desk: Desk) -> None:
    desk.press("1")
    desk.page.keyboard.type("12")
    desk.press("Control+Enter")


def write_json(desk: Desk) -> None:
    desk.press("1")
    desk.page.keyboard.type('{"score": 3}')
    desk.press("Control+Enter")


def dismiss(desk: Desk) -> None:
    desk.press("e")
    desk.focus_is_on("button[name=dismiss]")
    desk.press("Enter")


ROUND: list[tuple[dict[str, Any], Step, dict[str, Any]]] = [
    (APPROVAL, approve, {"selectedOption": "approve"}),
    (ONE, pick_second, {"selectedIds": ["b"]}),
    (MANY, pick_two, {"selectedIds": ["a", "c"]}),
    (WORDS, write, {"text": "Dear customer"}),
    (FIELDS, fill_in, {"amount": "12"}),
    (FREE, write_json, {"score": 3}),
    (DISMISSABLE, dismiss, {"_dismissed": True}),
    (
        APPROVAL,
        comment,
        {"selectedOption": "approve", "comment": "j and 2 are only letters here"},
    ),
    (APPROVAL, feedback, {"selectedOption": "reject"}),
    (APPROVAL, reject, {"selectedOption": "reject"}),
]


def test_ten_reviews_are_answered_by_the_keyboard_alone(desk: Desk) -> None:
    asked = desk.open(*(review for review, _act, _answer in ROUND))
    for number, (review, (_review, act, answered)) in enumerate(zip(asked, ROUND, strict=True), 1):
        desk.sees(number)
        act(desk)
        assert desk.answer(review) == answered
        if number < len(ROUND):
            desk.sees(number + 1)
            desk.focus_is_on("#detail-title")
    expect(desk.page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_no_key_answers_by_itself(desk: Desk) -> None:
    asked = desk.open(APPROVAL, ONE, DISMISSABLE)
    for number, review in enumerate(asked, 1):
        desk.sees(number)
        for key in "123456789recdpux,;[].":
            desk.press(key, "Escape")
        desk.page.locator("#detail-title").focus()
        desk.press("Enter", "o", "Space")
        assert desk.status(review) == "pending"
        desk.press("j")


def test_sending_an_approval_asks_for_an_answer_first(desk: Desk) -> None:
    (review,) = desk.open(APPROVAL)
    desk.press("c", "Control+Enter")
    expect(desk.page.get_by_role("status").filter(has_text="Choose an answer")).to_be_visible()
    assert desk.status(review) == "pending"


def test_second_step_wants_its_own_enter_and_escape_goes_back(desk: Desk) -> None:
    (review,) = desk.open(RISKY)
    desk.press("1", "Enter")
    expect(desk.page.get_by_role("button", name="Yes, send it")).to_be_visible()
    desk.press("Control+Enter", "1", "e", "Enter")
    assert desk.status(review) == "pending"
    desk.press("Escape")
    expect(desk.page.get_by_role("button", name="Drop it")).to_be_visible()
    assert desk.status(review) == "pending"


def test_rows_are_walked_and_opened_with_focus_on_them(desk: Desk) -> None:
    asked = desk.open(*[APPROVAL] * 4)
    desk.press("j")
    desk.sees(2)
    desk.focus_is_on(f"#row-{asked[1]} .row")
    expect(desk.page).to_have_url(f"{desk.product.url}/inbox/{asked[1]}/?channel={desk.channel}")
    desk.press("ArrowDown")
    desk.sees(3)
    desk.press("k")
    desk.sees(2)
    desk.press("o")
    desk.focus_is_on("#detail-title")
    desk.press("Escape")
    desk.focus_is_on(f"#row-{asked[1]} .row")
    desk.press("Enter")
    desk.focus_is_on("#detail-title")
    desk.press("k", "k", "k")
    desk.sees(1)


def test_held_key_asks_only_for_what_it_rests_on(desk: Desk) -> None:
    asked = desk.open(*[APPROVAL] * 20)
    asked_for: list[Request] = []
    desk.page.on("request", lambda sent: asked_for.append(sent))  # noqa: PLW0108
    for _repeat in range(30):
        desk.page.keyboard.down("j")
    desk.page.keyboard.up("j")
    desk.sees(20)
    desk.focus_is_on(f"#row-{asked[-1]} .row")
    fetched = [sent.url for sent in asked_for if sent.method == "GET"]
    opened = [url for url in fetched if "/inbox/" in url and "/row/" not in url]
    assert len(opened) <= 4
    assert asked[-1] in opened[-1]


def test_focused_row_is_never_under_a_heading(desk: Desk) -> None:
    desk.open(*[APPROVAL] * 20)
    for _row in range(19):
        desk.press("j")
    for _row in range(19):
        desk.press("k")
        covered = desk.page.evaluate(
            """() => {
              const row = document.activeElement.getBoundingClientRect();
              const heads = [...document.querySelectorAll(".group-h")];
              return heads.some((head) => {
                const box = head.getBoundingClientRect();
                return box.top <= row.top && box.bottom > row.top + 1;
              });
            }"""
        )
        assert not covered


def test_keys_of_an_input_method_do_nothing(desk: Desk) -> None:
    desk.open(APPROVAL, APPROVAL)
    desk.page.evaluate(
        """() => {
          for (const init of [{ key: "j", isComposing: true }, { key: "j", keyCode: 229 }]) {
            document.body.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true }));
          }
        }"""
    )
    desk.press("Control+j", "Alt+j", "Shift+J")
    desk.press("/")
    desk.focus_is_on("#search")
    desk.sees(1)
    desk.press("Escape", "j")
    desk.sees(2)


def test_sequences_go_to_pages(desk: Desk) -> None:
    desk.open(APPROVAL)
    for keys, path in (("gc", "/channels/"), ("gi", "/inbox/")):
        desk.press(*keys)
        desk.page.wait_for_url(f"**{path}")
    desk.page.keyboard.press("g")
    desk.page.wait_for_timeout(1100)
    desk.press("c")
    expect(desk.page).to_have_url(f"{desk.product.url}/inbox/")


def test_revisions_are_stepped_through(desk: Desk) -> None:
    (old,) = desk.open(APPROVAL)
    desk.press("2", "Enter")
    desk.answer(old)
    new = desk.product.ask(APPROVAL, text="Question 2", channelId=desk.channel, iterationOf=old)
    desk.page.goto(f"{desk.product.url}/inbox/{new}/")
    desk.press(",")
    desk.sees(1)
    desk.focus_is_on("#detail-title")
    desk.press(";")
    desk.sees(2)


def test_review_leads_to_its_conversation(desk: Desk) -> None:
    desk.open(APPROVAL)
    desk.press("v")
    desk.page.wait_for_url(f"**/channels/{desk.channel}/?m=*")


@pytest.fixture
def own_keys(desk: Desk) -> Iterator[Callable[..., None]]:
    """Change the person's keys on the settings page, and give them ours again afterwards."""

    def change(*, single: bool = True, **keys: str) -> None:
        desk.page.goto(f"{desk.product.url}/settings/shortcuts/")
        desk.page.locator("[name=single_keys]").set_checked(single)
        for action, key in keys.items():
            desk.page.locator(f"[name=key-{action}]").fill(key)
        desk.page.get_by_role("button", name="Save").click()

    yield change
    change(next="")


def test_persons_own_keys_take_the_place_of_ours(desk: Desk, own_keys: Callable[..., None]) -> None:
    own_keys(next="n")
    desk.open(APPROVAL, APPROVAL)
    desk.press("j")
    desk.sees(1)
    desk.press("n")
    desk.sees(2)


def test_switched_off_keys_do_nothing_and_are_not_shown(
    desk: Desk, own_keys: Callable[..., None]
) -> None:
    own_keys(single=False)
    desk.open(APPROVAL, APPROVAL)
    approve_button = desk.page.get_by_role("button", name="Approve")
    expect(approve_button).not_to_have_attribute("aria-keyshortcuts", "1")
    expect(approve_button.locator("kbd")).to_be_hidden()
    desk.press("j", "?", "/", "1")
    desk.sees(1)
    expect(desk.page.locator("dialog[open]")).to_have_count(0)
    expect(desk.page.locator("#search, button[name=option]").first).not_to_be_focused()
    desk.press("Control+k")
    expect(desk.page.locator("#palette")).to_be_visible()


def test_keys_are_shown_where_they_work(desk: Desk) -> None:
    desk.open(APPROVAL)
    approve_button = desk.page.get_by_role("button", name="Approve", exact=True)
    expect(approve_button).to_have_attribute("aria-keyshortcuts", "1")
    expect(approve_button.locator("kbd")).to_have_text("1")
    search = desk.page.get_by_role("link", name="Find anything", exact=True)
    expect(search).to_have_attribute("aria-keyshortcuts", "Control+K")
    expect(search.locator("kbd")).to_have_text("Ctrl K")


def test_sheet_lists_the_keys_and_gives_focus_back(desk: Desk) -> None:
    asked = desk.open(APPROVAL, APPROVAL)
    desk.press("j", "?")
    sheet = desk.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_role("row", name="Answer with feedback")).to_contain_text("R")
    desk.press("j")
    desk.press("Escape")
    expect(sheet).to_be_hidden()
    desk.focus_is_on(f"#row-{asked[1]} .row")
    desk.sees(2)


def test_palette_finds_and_opens_by_the_keyboard(desk: Desk) -> None:
    asked = desk.open(APPROVAL, APPROVAL)
    desk.press("j", "Control+k")
    field = desk.page.get_by_role("combobox")
    expect(field).to_be_focused()
    options = desk.page.get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    desk.press("End")
    expect(options.last).to_have_attribute("aria-selected", "true")
    desk.press("ArrowDown")
    active = options.first.get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", str(active))
    desk.press("Escape")
    desk.focus_is_on(f"#row-{asked[1]} .row")
    desk.press("Control+k")
    desk.page.keyboard.type("question 1")
    desk.press("Enter")
    desk.page.wait_for_url("**/inbox/*/")
    desk.sees(1)


def test_keys_work_right_after_a_dialog_closed(desk: Desk) -> None:
    """Its field keeps focus for one more frame, where it is not typed in any more."""
    desk.open(APPROVAL)
    for _round in range(8):
        desk.page.reload()
        desk.press("Control+k")
        expect(desk.page.get_by_role("option").first).to_be_visible()
        desk.press("Escape", "?")
        expect(desk.page.get_by_role("row", name="Answer with feedback")).to_be_visible()


def test_palette_says_how_much_it_found(desk: Desk) -> None:
    desk.open(APPROVAL)
    desk.press("Control+k")
    count = desk.page.locator("#palette-count")
    desk.page.keyboard.type("zzz nothing")
    expect(count).to_have_text("Nothing matches")
    desk.page.get_by_role("combobox").fill("Keyboard")
    expect(count).to_have_text("Nothing matches")
    desk.page.get_by_role("combobox").fill("all keys")
    expect(count).to_have_text("1 result")
    desk.press("Enter")
    expect(desk.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_key_is_answered_at_once(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """From the event to the frame that shows the next row as open, 20 times."""
    desk.open(*[APPROVAL] * 21)
    took = [desk.page.evaluate(PRESS_AND_PAINT) for _press in range(20)]
    desk.sees(21)
    with capsys.disabled():
        sys.stdout.write(f"\nkey press to visible change: {statistics.median(took):.1f} ms\n")
    assert statistics.median(took) <= BUDGET_MS


PRESS_AND_PAINT = """async () => {
  const before = document.querySelector(".row[aria-current]");
  const start = performance.now();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  if (document.querySelector(".row[aria-current]") === before) throw new Error("nothing moved");
  return performance.now() - start;
}"""
