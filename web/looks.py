"""How each kind and state of a review looks: an icon from the sprite, and a word."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviews.models import ReviewRequest, Status
from reviews.plugins import installed_plugins


@dataclass(frozen=True)
class Look:
    icon: str
    label: str
    tone: str = ""


KINDS = {
    "approval": ("stamp", gettext_lazy("Approval")),
    "selection": ("list", gettext_lazy("Selection")),
    "form": ("form", gettext_lazy("Form")),
    "text-input": ("type", gettext_lazy("Text")),
    "freeform": ("braces", gettext_lazy("Freeform")),
}


def look_of(review: ReviewRequest) -> Look:
    """The kind's own look, or that of a plugin; else it is shown by the agent's name for it."""
    plugin = installed_plugins().get(review.kind)
    other = ("box", plugin.display_name) if plugin else ("braces", review.kind[:40])
    icon, label = KINDS.get(review.kind, other)
    return Look(icon, str(label))


def state_look(review: ReviewRequest) -> Look:
    match review.status:
        case Status.PENDING:
            return Look("clock", _("Pending"), "warn")
        case Status.COMPLETED:
            return Look("check", _("Completed"), "ok")
        case Status.EXPIRED:
            return Look("clock", _("Expired"))
        case _other:
            return Look("x", _("Withdrawn"))
