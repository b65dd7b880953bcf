"""An agent's hostile content in every place, with scripts on: nothing runs, leaves or imitates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.stack import Stack
from tests.polling import happens_within

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

AWAY = "https://evil.example"
SCRIPTS = "\n\n".join(
    [
        "<script>window.ran = 1</script>",
        f"<img src='{AWAY}/i.png' onerror='window.ran = 1'>",
        f"<svg onload='window.ran = 1'><use href='{AWAY}/s.svg#a'/></svg>",
        "<style>* { display: none !important }</style>",
        f"<link rel=stylesheet href='{AWAY}/s.css'>",
        f"<iframe srcdoc='<script>top.ran = 1</script>' src='{AWAY}'></iframe>",
        f"<form action='{AWAY}'><button class='btn ok'>Approve</button></form>",
        "<div style='position: fixed; inset: 0; z-index: 99' class='card'>Approve</div>",
        f"<base href='{AWAY}'><meta http-equiv=refresh content='0;url={AWAY}'>",
        "[Approve](javascript:window.ran=1) [Approve](data:text/html,<script>top.ran=1</script>)",
        f"![chart]({AWAY}/chart.png) [https://bank.example]({AWAY}/login) {AWAY}/auto",
        f"[x]: {AWAY}/definition",
        "- [ ] Approve\n- [x] <input type=checkbox>",
        "`<script>window.ran = 1</script>` \u202ereversed\u2066 p\u0430ypal.com",
        "```html\n<script>window.ran = 1</script>\n```",
        "| <script>window.ran = 1</script> |\n|---|\n| <img src=x onerror='window.ran=1'> |",
        "W" * 3_000,
        "`" + "long code " * 500 + "`",
        "|" + "a|" * 200 + "\n|" + "-|" * 200 + "\n|" + "wide|" * 200,
        "| " + "\n" * 10_000,
    ]
)
SHORT = "\u202e<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
NESTING = {
    "quotes": "> " * 50_000,
    "brackets": "[" * 100_000,
    "stars": "*a **b " * 14_000,
    "backticks": "`" * 100_000,
    "tables": "|a|b|\n|-|-|\n" + "|x|y|\n" * 16_000,
    "hidden": "a\u200b" * 50_000,
    "one word": "W" * 100_000,
    "lines": "a\n" * 50_000,
}
# Nothing that an agent writes may be, or look like, what a person decides with.
IMITATIONS = ", ".join(
    f".prose {part}"
    for part in (
        *("button", "input", "select", "textarea", "form", "script", "style", "svg", "img"),
        *("iframe", "object", "embed", "video", "link", "meta", "base", "[id]", "[name]"),
        *("[style]", "[onclick]", "[onerror]", "[onload]", "[role]", "[contenteditable]"),
        *("[class*=btn]", "[class*=card]", "[class*=chip]", "[class*=dock]", "[class*=banner]"),
        *("a[href^='javascript' i]", "a[href^='data' i]", "a[href^='/']", "a:not([rel*=noopener])"),
    )
)


@dataclass
class Hostile:
    """What the agent sent: the ids of its reviews, and of its channel."""

    reviews: dict[str, str]
    channel: str


def payloads() -> Iterator[tuple[str, str, Any]]:
    heading = {"title": SHORT, "description": SCRIPTS, "submitLabel": SHORT, "dismissLabel": SHORT}
    choice = {"id": SHORT, "label": SHORT, "description": SCRIPTS[:9_000]}
    kinds = ("text", "number", "url", "textarea", "select", "checkbox", "date", "password")
    fields = [
        {
            "name": f"{kind}{SHORT}",
            "type": kind,
            "label": SHORT,
            "placeholder": SHORT,
            "description": SHORT,
            "unit": SHORT,
            "options": [choice],
            **({"defaultValue": SHORT} if kind in {"text", "textarea"} else {}),
        }
        for kind in kinds
    ]
    yield "approval", "approval", heading | {"options": [choice, "no"], "allowComment": True}
    yield "selection", "selection", heading | {"items": [choice, "b"]}
    yield "form", "form", heading | {"fields": fields}
    yield "text", "text-input", heading | {"prefill": SCRIPTS, "markdown": True}
    yield "freeform", "freeform", heading | {"schema": {SHORT: SCRIPTS}}
    yield "unknown", SHORT, {SHORT: [SCRIPTS]}


@pytest.fixture(scope="module")
def hostile(stack: Stack) -> Hostile:
    named = {"name": SHORT, "description": SCRIPTS[:9_000]}
    made = stack.call("POST", "/api/v1/agents", named)
    assert made.status_code == 201, made.text
    channel = made.json()["id"]
    facts = {SHORT: SHORT, "link": f"{AWAY}/fact", "long": SCRIPTS}
    reviews = {}
    for name, kind, payload in payloads():
        question = {"type": kind, "payload": payload}
        reviews[name] = _sent(stack, channel, f"# {SHORT}\n\n{SCRIPTS}", question, metadata=facts)
    for name, text in NESTING.items():
        reviews[name] = _sent(stack, channel, text, {"type": "approval"})
    _sent(stack, channel, SCRIPTS, None, status="warning")
    return Hostile(reviews, channel)


def _sent(stack: Stack, channel: str, text: str, review: Any, **message: object) -> str:
    body = {"channelId": channel, "text": text} | message | ({"review": review} if review else {})
    answer = stack.call("POST", "/api/v1/messages", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def check(page: Page) -> None:
    """Nothing ran and nothing imitates; that nothing left is the page's own watch."""
    assert page.evaluate("window.ran") is None
    assert page.locator(IMITATIONS).count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.scrollingElement.scrollTop + scrollY") == 0


def card_is_in_view(page: Page) -> bool:
    """The card, or what of it fits, and its buttons, inside the window and in front."""
    dock = page.locator(".dock").bounding_box()
    window = page.viewport_size
    button = page.locator("#card .card-f .btn").first
    box = button.bounding_box()
    if dock is None or window is None or box is None:
        return False
    inside = dock["y"] >= 0 and dock["y"] + dock["height"] <= window["height"] + 1
    middle = [box["x"] + min(box["width"], 60) / 2, box["y"] + box["height"] / 2]
    in_front = page.evaluate(
        "([x, y]) => !!document.elementFromPoint(x, y)?.closest('#card')", middle
    )
    return inside and bool(in_front)


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_nothing_runs_leaves_or_imitates(
    stack: Stack, scripted_page: Page, hostile: Hostile, size: tuple[int, int]
) -> None:
    width, height = size
    scripted_page.set_viewport_size({"width": width, "height": height})
    for path in ("/inbox/", "/inbox/?status=all", "/channels/"):
        scripted_page.goto(stack.url + path)
        check(scripted_page)
    for path in (f"/channels/{hostile.channel}/", f"/channels/{hostile.channel}/delivery/"):
        scripted_page.goto(stack.url + path)
        check(scripted_page)
    for name, review in hostile.reviews.items():
        scripted_page.goto(f"{stack.url}/inbox/{review}/")
        check(scripted_page)
        assert card_is_in_view(scripted_page), name


def test_answered_reviews_and_revisions_stay_harmless(
    stack: Stack, scripted_page: Page, hostile: Hostile
) -> None:
    review = hostile.reviews["text"]
    scripted_page.goto(f"{stack.url}/inbox/{review}/")
    scripted_page.locator("#answer-text").fill(SCRIPTS[:1_500] + SHORT)
    with scripted_page.expect_response(lambda answer: "/respond/" in answer.url) as sent:
        scripted_page.locator("#card .card-f .btn.primary").click()
    assert sent.value.status < 400
    scripted_page.goto(f"{stack.url}/inbox/{review}/")
    check(scripted_page)
    assert scripted_page.locator("#card .result.ok").is_visible()
    question = {"type": "text-input", "payload": {"prefill": SCRIPTS}}
    again = _sent(stack, hostile.channel, f"# {SHORT} 2\n\nx", question, iterationOf=review)
    scripted_page.goto(f"{stack.url}/inbox/{again}/")
    scripted_page.locator("#difference summary").click()
    assert scripted_page.locator("#difference .changes").first.is_visible()
    check(scripted_page)


def test_the_watch_sees_what_runs_and_leaves(stack: Stack, watched: tuple[Page, list[str]]) -> None:
    """The test of the tests: a page that breaks the rules is noticed."""
    page, complaints = watched
    page.goto(f"{stack.url}/inbox/")
    page.evaluate(
        """() => { const image = new Image(); image.src = 'https://evil.example/x';
        document.body.append(image); console.error('broken') }"""
    )
    came = "() => document.querySelector('body > img').complete"
    assert happens_within(10, lambda: page.evaluate(came))
    said = " ".join(complaints)
    assert "broken" in said
    assert "img-src" in said
