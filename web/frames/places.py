"""Where a plugin's frame goes in a page. A script makes it; without one, nothing is there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from attachments.models import Attachment
from reviews.models import ReviewRequest
from reviews.plugins import Plugin
from reviews.plugins.choosing import Chosen


@dataclass(frozen=True)
class Place:
    """What the script has to know: the frame's page, and what it may do for it."""

    plugin: Plugin
    address: str
    files: str = "{}"
    answers: bool = False

    @property
    def calls(self) -> str:
        """Where calls go; nowhere without the permission."""
        return reverse("web:plugin-fetch", args=[self.plugin.name]) if self.plugin.may_call else ""


def place_of(
    chosen: Chosen | None,
    files: Sequence[Attachment],
    *,
    answering: ReviewRequest | None = None,
) -> Place | None:
    """`answering` is the review whose card stands in the page, for somebody who may answer it."""
    if chosen is None:
        return None
    frame = reverse("web:plugin-frame", args=[chosen.plugin.name])
    raw = {str(file.pk): reverse("web:file-raw", args=[file.pk]) for file in files}
    return Place(
        plugin=chosen.plugin,
        address=f"{frame}?message={chosen.message.pk}",
        files=json.dumps(raw),
        answers=answering is not None and answering.is_pending,
    )


def preview_of(plugin: Plugin) -> Place:
    return Place(plugin, reverse("web:plugin-frame", args=[plugin.name]) + "?preview")
