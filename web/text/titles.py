"""What a message is called in a list: its first heading, or its first sentence."""

import re
from typing import Any

from reviews.models import ReviewRequest
from web.looks import look_of

LONGEST = 140
LINES_LOOKED_AT = 30
LINE_LOOKED_AT = 500  # the expressions below take a square of it on a line that is made for it
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<text>\S.*)")
_SENTENCE = re.compile(r".+?[.!?…](?=\s|$)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"(\*\*|__|~~|`|(?<!\w)[*_]|[*_](?!\w))")
_LEAD = re.compile(r"^\s*(?:[-*+>]|\d+[.)])\s+")


def title_of(review: ReviewRequest) -> str:
    return title_in(review.message.text) or _payload_title(review.payload) or look_of(review).label


def title_in(text: str | None) -> str:
    """The first heading of a Markdown text, else its first sentence, as plain words."""
    lines = [line for line in (text or "")[:8000].splitlines() if line.strip()][:LINES_LOOKED_AT]
    heading = _first_heading(lines)
    if heading or not lines:
        return _cut(heading)
    line = _plain(lines[0])
    sentence = _SENTENCE.match(line)
    return _cut(sentence[0] if sentence else line)


def body_below_title(text: str | None) -> str:
    """The text without a first line that is its title anyway."""
    whole = (text or "").strip()
    first, _, rest = whole.partition("\n")
    heading = _HEADING.match(first)
    alone = not rest.strip() or not rest.split("\n", 1)[0].strip()
    shown = _heading_text(heading) if heading else _plain(first)
    repeats = shown == title_in(text) and (bool(heading) or alone)
    return rest.strip() if repeats and not _says_more(first) else whole


def _says_more(line: str) -> bool:
    """A title has no room for the end of a long line, nor for where a link leads."""
    return len(line) > LINE_LOOKED_AT or bool(_LINK.search(line))


def _heading_text(heading: "re.Match[str]") -> str:
    return _plain(heading["text"].rstrip().rstrip("#"))


def _first_heading(lines: list[str]) -> str:
    fenced = False
    for line in lines:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        found = None if fenced else _HEADING.match(line)
        if found:
            return _heading_text(found)
    return ""


def _plain(line: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", _LEAD.sub("", line[:LINE_LOOKED_AT]))).strip()


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _payload_title(payload: Any) -> str:
    found = payload.get("title") or payload.get("prompt") if isinstance(payload, dict) else ""
    return _cut(found) if isinstance(found, str) else ""
