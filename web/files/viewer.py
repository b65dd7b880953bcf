"""One file as a page shows it: by its kind, in one of several views, with its neighbours.

A page that wants to show files calls `make_viewer` and includes `attachments/viewer.html`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from attachments.kinds import Kind, kind_of, table_suffix
from attachments.models import Attachment, Preview, PreviewState
from attachments.queries import has_bytes
from attachments.storage import StorageUnavailableError
from web.files.contents import document_html, markdown_text, sheets_of, source_of
from web.files.looks import look_of_file
from web.looks import Look

type Address = Callable[[Attachment], str]
type Parts = tuple[str, dict[str, Any]]

# The views of each kind; the first one is shown unless another is asked for.
VIEWS: Mapping[Kind, Sequence[str]] = {
    Kind.IMAGE: ("picture",),
    Kind.SVG: ("drawing",),
    Kind.AUDIO: ("audio",),
    Kind.VIDEO: ("video",),
    Kind.PDF: ("pdf",),
    Kind.TABLE: ("table",),
    Kind.DOCUMENT: ("document",),
    Kind.HTML: ("source", "sandbox"),
    Kind.MARKDOWN: ("rendered", "source"),
    Kind.TEXT: ("source",),
    Kind.OTHER: ("nothing",),
}
# These show what a worker made; without it they show how it stands with that.
NEED_PREVIEW = frozenset({"picture", "table", "document"})


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    current: bool
    icon: str = ""


@dataclass(frozen=True)
class Viewer:
    """Everything that `attachments/viewer.html` shows."""

    file: Attachment
    look: Look
    template: str
    previous: str
    following: str
    tabs: Sequence[Link] = ()
    views: Sequence[Link] = ()
    shown: dict[str, Any] = field(default_factory=dict)


def make_viewer(
    file: Attachment, *, around: Sequence[Attachment], given: Mapping[str, str], address: Address
) -> Viewer:
    """`around` are the files beside it, itself included; `address` is where a file is shown."""
    kind = kind_of(file.filename, file.mime_type)
    views = _views(file, kind)
    view = given.get("view", "") if given.get("view", "") in views else views[0]
    name, shown = _shown(file, view, given)
    if "sheets" in shown:
        shown["sheet_links"] = _sheet_links(shown, address(file))
    place = [each.pk for each in around].index(file.pk)
    return Viewer(
        file=file,
        look=look_of_file(file),
        template=f"attachments/{name}.html",
        previous=address(around[place - 1]) if place else "",
        following=address(around[place + 1]) if place + 1 < len(around) else "",
        tabs=[_tab(each, address(each), current=each.pk == file.pk) for each in around],
        views=_view_links(views, view, address(file)),
        shown=shown,
    )


def _views(file: Attachment, kind: Kind) -> Sequence[str]:
    delimited = table_suffix(file.filename, file.mime_type) in {"csv", "tsv"}
    return ("table", "source") if kind == Kind.TABLE and delimited else VIEWS[kind]


def _shown(file: Attachment, view: str, given: Mapping[str, str]) -> Parts:
    """A template's name, and what it needs."""
    try:
        return _found(file, view, given)
    except StorageUnavailableError:
        return "unavailable", {}


def _found(file: Attachment, view: str, given: Mapping[str, str]) -> Parts:
    preview: Preview | None = getattr(file, "preview", None)
    if not has_bytes(file):
        return "gone", {}
    if view in NEED_PREVIEW and (preview is None or preview.state != PreviewState.READY):
        return _without_preview(preview)
    if view == "table":
        return _table(file, given)
    return view, _contents(file, view, preview)


def _contents(file: Attachment, view: str, preview: Preview | None) -> dict[str, Any]:
    match view:
        case "document":
            return {"html": document_html(file)}
        case "source":
            return {"source": source_of(file)}
        case "rendered":
            return {"text": markdown_text(file)}
        case _media:
            return {"has_picture": preview is not None and preview.state == PreviewState.READY}


def _without_preview(preview: Preview | None) -> Parts:
    if preview is not None and preview.state == PreviewState.WANTED:
        return "wanted", {}
    return "failed", {"reason": preview.get_failure_display() if preview else ""}


def _table(file: Attachment, given: Mapping[str, str]) -> Parts:
    sheets = sheets_of(file)
    if not sheets:
        return "failed", {}
    asked = given.get("sheet", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < len("100") else 1
    number = number if 1 <= number <= len(sheets) else 1
    return "table", {"sheets": sheets, "sheet": sheets[number - 1], "number": number}


def _sheet_links(shown: Mapping[str, Any], url: str) -> list[Link]:
    return [
        Link(sheet.name, _with(url, sheet=str(number)), number == shown["number"])
        for number, sheet in enumerate(shown["sheets"], 1)
    ]


def _view_links(views: Sequence[str], current: str, url: str) -> list[Link]:
    labels = {
        "table": _("Table"),
        "source": _("Source"),
        "rendered": _("Text"),
        "sandbox": _("Render in a sandbox"),
    }
    if len(views) == 1:
        return []
    return [Link(labels[view], _with(url, view=view), view == current) for view in views]


def _tab(file: Attachment, url: str, *, current: bool) -> Link:
    return Link(file.filename, url, current, icon=look_of_file(file).icon)


def _with(url: str, **values: str) -> str:
    """The address with one more name in its query; our own words, so nothing needs escaping."""
    pairs = "&".join(f"{name}={value}" for name, value in values.items())
    return f"{url}{'&' if '?' in url else '?'}{pairs}"
