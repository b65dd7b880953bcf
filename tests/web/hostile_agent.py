"""An agent that puts hostile text into every field it may fill, and a reader of pages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from attachments.models import Attachment
from attachments.models import State as FileState
from inbox.models import Channel, Message
from reviews.models import ReviewRequest
from tests.factories import make_message, make_review

HIDDEN = "\u202e\u2066\u200b\u00ad\ufeff\U000e0041\u3164"
MARKUP = "<script>ran()</script><svg onload=ran()><img src=//evil.example/x onerror=ran()>"
FAKE = "[**Approve**](javascript:ran())<button class='btn ok'>Approve</button>- [ ] yes"
HOSTILE = f"{HIDDEN}a{MARKUP}\n\n{FAKE}\n\n![x](https://evil.example/x.png)"
SHORT = f"x{HIDDEN}p\u0430ypal<b>"
# In these attributes a value goes back as it came; next to each stands what it reads like.
GOES_BACK = {"value", "name", "href", "action"}
READ_AS_THEY_ARE = {"textarea"}
UNSEEN = {"hidden", "checkbox", "radio", "search"}


def payloads() -> Iterator[tuple[str, Any]]:
    """One payload for each kind, and one that cannot be read, with every text hostile."""
    heading = {"title": SHORT, "description": HOSTILE, "submitLabel": SHORT, "dismissLabel": SHORT}
    choice = {"id": SHORT, "label": SHORT, "description": HOSTILE, "confirm": True}
    yield "approval", heading | {"options": [choice, {"id": SHORT + "2"}], "allowComment": True}
    yield "selection", heading | {"items": [choice, SHORT + "2"], "mode": "multi"}
    yield "form", heading | {"fields": list(fields(choice))}
    yield "text-input", heading | {"prefill": HOSTILE, "placeholder": SHORT, "markdown": True}
    yield "freeform", heading | {"schema": {SHORT: HOSTILE}}
    yield SHORT, {SHORT: [HOSTILE]}
    yield "form", HOSTILE


def fields(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kinds = ("text", "number", "email", "url", "textarea", "select", "checkbox", "date", "range")
    for kind in (*kinds, "time", "datetime", "password", SHORT):
        texts = {"label": SHORT, "placeholder": SHORT, "description": HOSTILE, "unit": SHORT}
        default = {} if kind in {"number", "range", "checkbox"} else {"defaultValue": SHORT}
        yield {"name": f"{kind}{SHORT}", "type": kind, "options": [choice]} | texts | default


def fill(channel: Channel, now: datetime) -> tuple[list[ReviewRequest], list[Message]]:
    """Reviews of every kind, and messages, with hostile texts, facts, files and revisions."""
    facts = {SHORT: SHORT, f"{SHORT}2": HOSTILE, "webhookUrl": SHORT, "deep": {SHORT: [SHORT]}}
    reviews = [
        make_review(
            kind,
            payload,
            channel=channel,
            now=now - timedelta(minutes=1),
            text=f"# {SHORT}\n\n{HOSTILE}",
            metadata=facts,
        )
        for kind, payload in payloads()
    ]
    messages = [make_message(channel, text=HOSTILE), make_message(channel, text=SHORT)]
    for number, message in enumerate([*(review.message for review in reviews), *messages]):
        attach(message, number)
    return reviews, messages


def attach(message: Message, number: int) -> None:
    Attachment.objects.create(
        workspace=message.workspace,
        channel=message.channel,
        message=message,
        state=FileState.READY,
        filename=f"{SHORT}.pdf",
        mime_type=f"text/{SHORT}"[:100],
        storage_key=f"hostile-{number}",
    )


@dataclass
class Page(HTMLParser):
    """What a person reads of a page: its texts, and the attributes that are shown or spoken."""

    html: str
    texts: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self._open.append(tag)
        self.texts += [value for name, value in given.items() if name not in GOES_BACK]
        if tag == "input" and given.get("type") not in UNSEEN:
            self.unread.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        inside = set(self._open)
        (self.unread if inside & READ_AS_THEY_ARE else self.texts).append(data)
