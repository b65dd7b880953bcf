"""What a notification says. It is read on a lock screen: no more than the person allowed."""

import json
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from inbox.models import Channel
from reviews.models import ReviewRequest, Status
from web.looks import look_of
from web.text.hidden import without_hidden
from web.text.titles import title_of

LONGEST_NAME = 100
LONGEST_KIND = 40


def news(review: ReviewRequest, *, with_title: bool, pending: int) -> str:
    """A review waits. `pending` is the number for the icon."""
    said = {
        "id": str(review.pk),
        "type": review.kind[:LONGEST_KIND],
        "channel": _name(review.channel),
        "text": without_hidden(look_of(review).label),
        "pending": pending,
    }
    return _written(said | ({"title": without_hidden(title_of(review))} if with_title else {}))


def ending(review: ReviewRequest, *, to: User, pending: int) -> str:
    """It does not wait any more, and why. The browser shows this in place of the news."""
    said = {
        "id": str(review.pk),
        "closed": True,
        "channel": _name(review.channel),
        "text": _outcome(review, to),
        "pending": pending,
    }
    return _written(said)


def withdrawal(message_id: object, *, pending: int) -> str:
    """The message is gone, and with it what could be said about it."""
    text = _("Withdrawn by the agent")
    return _written({"id": str(message_id), "closed": True, "text": text, "pending": pending})


def trial() -> str:
    """What the button for a test sends."""
    return _written({"text": _("Notifications work on this device.")})


def _outcome(review: ReviewRequest, to: User) -> str:
    match review.status:
        case Status.COMPLETED:
            return _answered(review.decided_by, to)
        case Status.EXPIRED:
            return _("Expired without an answer")
        case _other:
            return _("Withdrawn by the agent")


def _answered(by: User | None, to: User) -> str:
    if by is None:
        return _("Answered")
    if by == to:
        return _("You answered this")
    return _("Answered by %(name)s") % {"name": _short(by.name)}


def _name(channel: Channel) -> str:
    return _short(channel.name)


def _short(text: str) -> str:
    plain = without_hidden(text)
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 1]}…"


def _written(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
