"""The review card: a question with what was typed, what is wrong with it, and how it ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from reviews.kinds import (
    Approval,
    Choice,
    Field,
    Form,
    Freeform,
    Question,
    Selection,
    TextInput,
)
from reviews.models import ReviewRequest
from web.answers import PREFIX
from web.files.drawings import FIELD, LEFT_OUT, Drawing
from web.frames.places import Place
from web.looks import Look, look_of, state_look
from web.outcomes import Outcome, picked_choices, pretty, read_outcome
from web.proposals import Proposal, read_proposal
from web.queries import minutes_left
from web.text.differences import Comparison, compare

OWN_CONTROLS = frozenset({"comment", "text", "json", "feedback", "drawings", "proposal"})
FUSE_SECONDS = 3600.0
FUSE_SHARE = 0.2
NOT_REPEATED = frozenset({"csrfmiddlewaretoken", "token", "confirmed", "sealed"})


@dataclass(frozen=True)
class Control:
    """One form field with what stands in it."""

    id: str
    field: Field
    value: str
    checked: bool
    error: str

    @property
    def name(self) -> str:
        return PREFIX + self.field.name

    @property
    def raw(self) -> str:
        """The value where the control shows it as it is; the options of a list are marked."""
        return "" if self.field.type == "select" else self.value

    @property
    def input_type(self) -> str:
        """A slider without a script hides the value that is sent, so a range is a number here."""
        return {"datetime": "datetime-local", "range": "number"}.get(
            self.field.type, self.field.type
        )

    @property
    def bounds(self) -> str:
        if self.field.type != "range":
            return ""
        return _("%(min)s to %(max)s") % {"min": self.min or "0", "max": self.max or "100"}

    @property
    def step(self) -> str:
        """Without a step, browsers refuse fractions in number fields."""
        if self.field.step is not None:
            return _plain(self.field.step)
        return "any" if self.input_type == "number" else ""

    @property
    def min(self) -> str:
        return _plain(self.field.min)

    @property
    def max(self) -> str:
        return _plain(self.field.max)


@dataclass(frozen=True)
class Option:
    """One choice with whether it is picked, and the class of its button."""

    choice: Choice
    picked: bool = False
    tone: str = ""


@dataclass(frozen=True)
class Confirmation:
    """The second step: which answer, and the fields that carry it."""

    label: str
    danger: bool
    fields: Sequence[tuple[str, str]]
    sealed: str


@dataclass(frozen=True)
class Fuse:
    """Seconds that are left, of those that the line stands for."""

    left: int
    whole: int


@dataclass(frozen=True)
class Card:
    """Everything the card's templates need."""

    review: ReviewRequest
    question: Question
    now: datetime
    token: str = ""
    typed: QueryDict | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    confirmation: Confirmation | None = None
    changed: bool = False
    drawings: Sequence[Drawing] = ()
    place: Place | None = None

    @property
    def template(self) -> str:
        if not self.review.is_pending:
            return "reviews/kinds/done.html"
        return f"reviews/kinds/{self.question.template}.html"

    @property
    def kind(self) -> Look:
        return look_of(self.review)

    @property
    def state(self) -> Look:
        return state_look(self.review)

    @property
    def title(self) -> str:
        return self.question.heading.title or self.kind.label

    @property
    def minutes_left(self) -> int | None:
        return minutes_left(self.review, self.now)

    @property
    def fuse(self) -> Fuse | None:
        """The line on top that burns down: in the last hour, or the last fifth of its time."""
        whole = (self.review.expires_at - self.review.created_at).total_seconds()
        left = (self.review.expires_at - self.now).total_seconds()
        length = max(FUSE_SECONDS, whole * FUSE_SHARE)
        return Fuse(max(int(left), 0), max(int(min(whole, length)), 1)) if left <= length else None

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The summary: the id of each control with a problem, and the problem."""
        labels = {entry.name: entry.label for entry in self._fields}
        return [
            (self._control_id(name), f"{labels[name]}: {text}" if name in labels else text)
            for name, text in self.errors.items()
        ]

    @property
    def _fields(self) -> tuple[Field, ...]:
        return self.question.fields if isinstance(self.question, Form) else ()

    def _control_id(self, name: str) -> str:
        """Names are the agent's words; ids in the page are ours."""
        numbers = {entry.name: number for number, entry in enumerate(self._fields)}
        if name in numbers:
            return f"field-{numbers[name]}"
        return f"answer-{name}" if name in OWN_CONTROLS else "answer-options"

    @property
    def options(self) -> list[Option]:
        """Of an approval: the first option that is no danger is the filled, green one."""
        return options_of(self.question, self.typed)

    @property
    def controls(self) -> list[Control]:
        return [self._control(entry) for entry in self._fields]

    def _control(self, entry: Field) -> Control:
        name, typed = PREFIX + entry.name, self.typed
        value = _default(entry) if typed is None else typed.get(name, "")
        return Control(
            id=self._control_id(entry.name),
            field=entry,
            value="" if entry.type == "password" else value,
            checked=entry.default is True if typed is None else bool(typed.get(name)),
            error=self.errors.get(entry.name, ""),
        )

    @property
    def text(self) -> str:
        """What stands in the one text box of a text or JSON question."""
        if isinstance(self.question, TextInput):
            return self.question.prefill if self.typed is None else self.typed.get("f.text", "")
        return "" if self.typed is None else self.typed.get("f.json", "")

    @property
    def schema(self) -> str:
        """What a freeform answer should look like, or what could not be read."""
        if not isinstance(self.question, Freeform):
            return ""
        shown = self.question.schema or self.question.unread
        return pretty(shown) if shown is not None else ""

    @property
    def comment(self) -> str:
        return "" if self.typed is None else self.typed.get("f.comment", "")

    @property
    def proposed(self) -> str:
        """The answer that a plugin proposes, as JSON."""
        return "" if self.typed is None else self.typed.get("proposal", "")

    @property
    def proposal(self) -> Proposal | None:
        return read_proposal(self.question, self.proposed) if self.proposed else None

    @property
    def feedback(self) -> str:
        return "" if self.typed is None else self.typed.get("feedback", "")

    @property
    def feedback_open(self) -> bool:
        return bool(self.feedback) or "feedback" in self.errors or self._asks_for_feedback

    @property
    def _asks_for_feedback(self) -> bool:
        return isinstance(self.question, Approval) and any(
            choice.needs_feedback for choice in self.question.choices
        )

    @property
    def unsent(self) -> str:
        """What was typed, to read and copy once it can no longer be sent. Never a password."""
        if self.typed is None:
            return ""
        secret = _password_names(self.question)
        secret |= {"proposal", "proposed"} if secret else {"proposed"}
        kept = [
            f"{name.removeprefix(PREFIX)}: {value}"
            for name, value in _pairs(self.typed)
            if value.strip() and name not in secret and not name.startswith((FIELD, LEFT_OUT))
        ]
        return "\n".join(kept)

    @property
    def edit(self) -> Comparison | None:
        """What a person changed in the text that the agent had prepared."""
        question, written = self.question, self.outcome.text
        if not isinstance(question, TextInput) or not question.prefill or not written:
            return None
        compared = compare(question.prefill.strip(), written)
        return None if compared.same else compared

    @property
    def outcome(self) -> Outcome:
        return read_outcome(self.review, self.question)


def options_of(question: Question, typed: QueryDict | None) -> list[Option]:
    if not isinstance(question, Approval | Selection):
        return []
    picked = typed.getlist("f.selectedIds") if typed is not None else []
    first = next((choice.id for choice in question.choices if choice.style != "danger"), None)
    return [
        Option(
            choice,
            picked=choice.id in picked,
            tone="bad" if choice.style == "danger" else "ok" if choice.id == first else "",
        )
        for choice in question.choices
    ]


def confirmation_for(
    review: ReviewRequest, question: Question, response: Mapping[str, Any]
) -> tuple[str, bool] | None:
    """The words for a second step and whether it is dangerous; None where one step is enough."""
    picked = picked_choices(question, response)
    if not (review.channel.confirm_answers or any(choice.confirm for choice in picked)):
        return None
    label = ", ".join(choice.label for choice in picked) or _("Send this answer")
    if response.get("_dismissed"):
        label = question.heading.dismiss_label
    return label, any(choice.style == "danger" for choice in picked)


def carried(question: Question, posted: QueryDict) -> list[tuple[str, str]]:
    """The fields that the second step posts again, without passwords."""
    secret = _password_names(question)
    return [pair for pair in _pairs(posted) if pair[0] not in secret]


def posted_passwords(question: Question, posted: QueryDict) -> dict[str, str]:
    return {
        name: value for name in sorted(_password_names(question)) if (value := posted.get(name))
    }


def _password_names(question: Question) -> set[str]:
    return {PREFIX + name for name in question.passwords} if isinstance(question, Form) else set()


def _pairs(posted: QueryDict) -> Iterable[tuple[str, str]]:
    for name, values in posted.lists():
        if name not in NOT_REPEATED:
            yield from ((name, str(value)) for value in values)


def _default(entry: Field) -> str:
    """A default as its control takes it; a date with a zone is cut to what the control shows."""
    if entry.default is None or isinstance(entry.default, bool):
        return ""
    text = str(entry.default)
    return text[:16] if entry.type == "datetime" else text


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.12g}"
