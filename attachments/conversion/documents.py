"""Word documents as HTML of an allow-list: their text and its structure, nothing else."""

from pathlib import Path
from typing import Any

import mammoth
import nh3

from attachments.conversion import parts
from attachments.conversion.archives import inspect, is_ole
from attachments.conversion.refusals import Reason, RefusedError

MOST_HTML = 2 * 1024 * 1024
TAGS = {
    *("p", "br", "strong", "em", "s", "sup", "sub", "blockquote", "pre", "a"),
    *("ul", "ol", "li", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
# The page has its own first and second level.
STYLES = "\n".join(
    f"p[style-name='{name} {level}'] => h{min(level + 2, 6)}:fresh"
    for name in ("Heading", "heading")
    for level in range(1, 7)
)


def convert(source: Path, folder: Path, filename: str) -> None:
    """Raises: RefusedError; whatever mammoth raises for a broken file."""
    inspect(source)
    if is_ole(source):
        raise RefusedError(Reason.BROKEN)
    with source.open("rb") as opened:
        html = mammoth.convert_to_html(opened, style_map=STYLES, convert_image=_left_out).value
    if len(html) > MOST_HTML:
        raise RefusedError(Reason.TOO_LARGE)
    (folder / parts.DOCUMENT).write_text(clean(html), encoding="utf-8")


def clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


def _left_out(image: Any) -> list[Any]:
    """Pictures are left out: one may be linked from outside, or be as large as it likes."""
    return []
