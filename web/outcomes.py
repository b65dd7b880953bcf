"""How a review ended, in words. A password is dots, never its value."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from reviews.kinds import (
    Approval,
    Choice,
    Field,
    Form,
    InvalidAnswerError,
    Question,
    Selection,
    TextInput,
)
from reviews.models import Closer, ReviewRequest


@dataclass(frozen=True)
class Outcome:
    """How a review ended, ready to be read. A password is None: dots, never the value."""

    headline: str = ""
    chips: Sequence[str] = ()
    lines: Sequence[tuple[str, str | None]] = ()
    text: str = ""
    json: str = ""
    comment: str = ""
    who: str = ""


def read_outcome(review: ReviewRequest, question: Question) -> Outcome:
    """How it ended, and who ended it; nothing but the latter unless it was answered."""
    response = review.response
    if response is None:
        return Outcome(who=_who(review))
    return replace(read_response(question, response), who=_who(review))


def read_response(question: Question, response: Mapping[str, Any]) -> Outcome:
    """What an answer says, in words."""
    if response.get("_dismissed") is True:
        return Outcome(headline=question.heading.dismiss_label or _("Dismissed"))
    try:
        question.check(response)
    except InvalidAnswerError:  # the payload was read differently when this was answered
        return Outcome(headline=_("Answered"), json=pretty(response))
    return _said(question, response)


def _said(question: Question, response: Mapping[str, Any]) -> Outcome:
    labels = [choice.label for choice in picked_choices(question, response)]
    match question:
        case Approval():
            return Outcome(headline=labels[0], comment=str(response.get("comment") or ""))
        case Selection():
            return Outcome(headline=_("Chosen"), chips=labels)
        case Form():
            return Outcome(headline=_("Filled in"), lines=_lines(question, response))
        case TextInput():
            return Outcome(headline=_("Written"), text=str(response["text"]))
        case _other:
            return Outcome(headline=_("Answered"), json=pretty(response))


def _who(review: ReviewRequest) -> str:
    if review.decided_by is not None:
        return review.decided_by.name
    return _("An API client") if review.decided_via == Closer.API else _("Somebody")


def _lines(question: Form, response: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return [
        (entry.label, None if entry.type == "password" else _shown(entry, response[entry.name]))
        for entry in question.fields
        if entry.name in response
    ]


def _shown(entry: Field, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    label = next((choice.label for choice in entry.choices if choice.id == value), None)
    return label or f"{value} {entry.unit}".strip()


def picked_choices(question: Question, response: Mapping[str, Any]) -> list[Choice]:
    if not isinstance(question, Approval | Selection):
        return []
    ids = response.get("selectedIds") or [response.get("selectedOption")]
    return [choice for choice in question.choices if choice.id in ids]


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
