"""Every screen and state of the pages, for whoever looks at all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page

from tests.attachments import samples
from tests.e2e.stack import Stack
from tests.e2e.test_files import store
from tests.polling import happens_within

CARDS: dict[str, dict[str, Any]] = {
    "approval": {"type": "approval", "payload": {"allowComment": True}},
    "approval-options": {
        "type": "approval",
        "payload": {
            "options": [
                {"id": "ship", "label": "Ship it"},
                {"id": "request_changes", "label": "Request changes"},
                {"id": "reject", "label": "Reject", "style": "danger", "confirm": True},
            ]
        },
    },
    "selection": {
        "type": "selection",
        "payload": {
            "mode": "multi",
            "items": [
                {"id": "a", "label": "Falkner Labs", "description": "Opened the page 4 times"},
                {"id": "b", "label": "Mira Health", "description": "New head of operations"},
            ],
        },
    },
    "form": {
        "type": "form",
        "payload": {
            "fields": [
                {"name": "amount", "type": "number", "label": "Amount", "required": True},
                {"name": "due", "type": "date", "label": "Due on"},
                {"name": "share", "type": "range", "label": "Share", "min": 0, "max": 10},
                {"name": "why", "type": "textarea", "label": "Why", "description": "In a line."},
                {"name": "who", "type": "select", "label": "Who", "options": ["Ada", "Bo"]},
                {"name": "sure", "type": "checkbox", "label": "I am sure"},
                {"name": "code", "type": "password", "label": "Code"},
            ]
        },
    },
    "text-input": {"type": "text-input", "payload": {"prefill": "Dear Noor,", "markdown": True}},
    "freeform": {"type": "freeform", "payload": {"schema": {"type": "object"}}},
    "unknown": {"type": "never-heard-of", "payload": {"anything": 1}},
    "plugin": {"type": "form-submit", "payload": {"title": "Whom may we call?"}},
}
TEXT = """# Deploy api-gateway v4.12.0 to production?

The canary has run for **45 minutes on 5 % of traffic** with no regressions.

| step | state |
| --- | --- |
| canary | done |

```python
def deploy() -> None: ...
```
"""
SETTINGS = ["profile", "sessions", "appearance", "shortcuts", "notifications", "keys", "people"]
SETTINGS += ["workspace", "plugins", "plugins/diagram"]
METADATA = {"Error rate": "0.04 %", "p95 latency": "38 ms", "Commits": 14, "Migrations": "1"}


@dataclass
class Gallery:
    """Fills a product with one of each, and says how to come to each screen."""

    stack: Stack
    reviews: dict[str, str] = field(default_factory=dict)

    def fill(self, page: Page) -> "Gallery":
        """`page` belongs to somebody who is signed in."""
        self.channel = self.stack.call("GET", "/api/v1/agents").json()[0]["id"]
        for name, review in CARDS.items():
            self.reviews[name] = self.stack.ask(review, text=TEXT, metadata=METADATA)
        self.reviews["done"] = self.stack.ask(CARDS["approval"], text="Answered already")
        page.goto(f"{self.stack.url}/inbox/{self.reviews['done']}/")
        with page.expect_navigation():
            page.get_by_role("button", name="Approve").click()
        self.picture = self._store("chart.png", "image/png", samples.picture())
        self.reviews["picture"] = self.stack.ask(CARDS["approval"], attachmentIds=[self.picture])
        thumbnail = f"{self.stack.url}/files/{self.picture}/thumb/320/"
        assert happens_within(30, lambda: page.request.get(thumbnail).ok)
        self.stack.call(
            "POST", "/api/v1/messages", {"channelId": self.channel, "text": TEXT, "status": "error"}
        )
        self.thread = self._hear()
        self.file = self._store("plan.py", "text/x-python", b"def deploy() -> None: ...\n")
        attached = {"attachmentIds": [self._store("terms.csv", "text/csv", b"a,b\n1,2\n")]}
        self.reviews["with-file"] = self.stack.ask(CARDS["approval"], text=TEXT, **attached)
        return self

    def _hear(self) -> str:
        """What somebody says in a room of another platform; returns its thread's id."""
        body = {"agentId": self.channel, "roomId": str(uuid4()), "userId": str(uuid4())}
        body |= {"text": TEXT, "sourceType": "discord", "sourceId": uuid4().hex}
        assert self.stack.call("POST", "/api/messaging/ingest-external", body).ok
        (heard,) = self.stack.call(
            "GET", f"/api/v1/messages?channel={self.channel}&limit=1"
        ).json()["data"]
        return str(heard["thread"]["id"])

    def _store(self, name: str, mime_type: str, content: bytes) -> str:
        """Returns the file's id."""
        return store(self.stack, name, mime_type, content).split("/")[-2]

    def screens(self) -> dict[str, Callable[[Page], None]]:
        paths = {
            "inbox": "/inbox/",
            "inbox-all": "/inbox/?status=all",
            "nothing-matches": "/inbox/?q=elephant",
            "select": "/inbox/?select=1",
            "together": "/inbox/together/?review=" + self.reviews["approval"],
            "channels": "/channels/",
            "conversation": f"/channels/{self.channel}/",
            "conversation-thread": f"/channels/{self.channel}/?thread={self.thread}",
            "receiver": f"/channels/{self.channel}/delivery/",
            "not-found": "/inbox/00000000-0000-7000-8000-000000000000/",
            "new-channel": "/channels/new/",
            "files": "/files/",
            "file": f"/files/{self.file}/",
            "activity": "/activity/",
            "activity-expired": "/activity/?show=expired",
            "activity-calls": "/activity/?show=calls",
            "health": "/activity/health/",
            "channel-settings": f"/channels/{self.channel}/settings/",
            "search": "/search/?q=deploy",
            "shortcuts": "/shortcuts/",
            "offline": "/offline/",
        }
        paths |= {f"settings-{name}": f"/settings/{name}/" for name in SETTINGS}
        paths |= {f"card-{name}": f"/inbox/{id_}/" for name, id_ in self.reviews.items()}
        shown: dict[str, Callable[[Page], None]] = {
            name: self._going_to(path) for name, path in paths.items()
        }
        return shown | {
            "card-invalid": self._invalid,
            "card-confirm": self._confirm,
            "card-feedback": self._feedback,
            "signed-out": self._signed_out,
            "palette": self._palette,
            "sheet": self._sheet,
            "drawing": self._drawing,
            "drawing-lost": self._drawing_lost,
            "card-drawn": self._drawn,
        }

    def _going_to(self, path: str) -> Callable[[Page], None]:
        def go(page: Page) -> None:
            page.goto(self.stack.url + path)

        return go

    def _invalid(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/inbox/{self.reviews['form']}/")
        page.locator("#card .card-f button.primary").click()
        page.locator("#card [role=alert]").first.wait_for()

    def _confirm(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/inbox/{self.reviews['approval-options']}/")
        page.get_by_role("button", name="Reject").click()
        page.get_by_role("button", name="Yes, send it").wait_for()

    def _feedback(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/inbox/{self.reviews['approval']}/")
        page.locator("#card summary").first.click()

    def _palette(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/inbox/")
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("deploy")
        page.get_by_role("option").first.wait_for()

    def _sheet(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/inbox/")
        page.keyboard.press("?")
        page.get_by_role("dialog").get_by_role("heading").first.wait_for()

    def _drawing(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/files/{self.picture}/")
        page.get_by_role("button", name="Draw on it").click()
        page.get_by_role("button", name="Add note").click()
        page.keyboard.type("Here")
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.get_by_text("Note placed.").wait_for()

    def _drawing_lost(self, page: Page) -> None:
        self._drawing(page)
        page.keyboard.press("Escape")
        page.get_by_role("alertdialog").wait_for()

    def _drawn(self, page: Page) -> None:
        self._drawing(page)
        page.get_by_role("button", name="Save").click()
        page.get_by_role("group", name="Annotated").wait_for()

    def _signed_out(self, page: Page) -> None:
        page.goto(f"{self.stack.url}/inbox/")
        page.evaluate("document.body.dispatchEvent(new CustomEvent('signed-out'))")
        page.get_by_role("dialog").wait_for()
