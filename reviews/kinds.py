"""Review kinds: how each reads the agent's payload and judges a person's answer.

To add a kind: write a Question with `read` and `check`, put it into KINDS, and give it a template
`templates/reviews/kinds/<template>.html`, fields in `web/answers.py`, and a test.

A payload is untrusted and free-form. Reading accepts the near misses that real clients send
(Placet contract 4.7: options as strings, `options` for `items`, `multiple`, `prompt`); what
cannot be asked as its kind falls back to the freeform question, with a notice.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from django.utils.translation import gettext as _

from inbox.errors import DomainError

REFUSING = frozenset({"reject", "no", "deny"})
NEEDS_FEEDBACK = frozenset({"request_changes", "changes", "revise", "edit"})
STYLES = frozenset({"primary", "danger", "secondary", "ghost"})
FIELD_TYPES = frozenset(
    {
        "text",
        "number",
        "email",
        "url",
        "textarea",
        "select",
        "checkbox",
        "date",
        "time",
        "datetime",
        "range",
        "password",
    }
)
NUMERIC = frozenset({"number", "range"})
DISMISSED = {"_dismissed": True}
REDACTED = "***REDACTED***"


class InvalidAnswerError(DomainError):
    """An answer that does not fit its question. `errors` maps a field name to what is wrong."""

    code = "invalid_answer"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


class UnreadablePayloadError(Exception):
    """The payload cannot be asked as its kind."""


@dataclass(frozen=True)
class Heading:
    """What stands above the controls, whatever the kind."""

    title: str = ""
    description: str = ""
    submit_label: str = ""
    dismiss_label: str = ""


@dataclass(frozen=True)
class Choice:
    """One thing to pick."""

    id: str
    label: str
    description: str = ""
    style: str = ""
    confirm: bool = False

    @property
    def needs_feedback(self) -> bool:
        return self.id in NEEDS_FEEDBACK


@dataclass(frozen=True)
class Field:
    """One field of a form."""

    name: str
    type: str
    label: str
    required: bool = False
    placeholder: str = ""
    description: str = ""
    choices: tuple[Choice, ...] = ()
    default: str | float | bool | None = None
    min: float | None = None
    max: float | None = None
    step: float | None = None
    unit: str = ""


class Question(Protocol):
    """A payload read as its kind."""

    template: ClassVar[str]

    @property
    def heading(self) -> Heading: ...

    def check(self, response: Mapping[str, Any]) -> None:
        """Raises: InvalidAnswerError."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def _heading(payload: Mapping[str, Any]) -> Heading:
    return Heading(
        title=_text(payload.get("title")) or _text(payload.get("prompt")),
        description=_text(payload.get("description")),
        submit_label=_text(payload.get("submitLabel")),
        dismiss_label=_text(payload.get("dismissLabel")),
    )


def _choice(raw: Any) -> Choice | None:
    if isinstance(raw, str) and raw:
        return Choice(id=raw, label=raw[:1].upper() + raw[1:])
    if not isinstance(raw, Mapping):
        return None
    identity = raw.get("id", raw.get("value"))
    if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
        return None
    style = _text(raw.get("style"))
    return Choice(
        id=str(identity),
        label=_text(raw.get("label")) or str(identity),
        description=_text(raw.get("description")),
        style=style if style in STYLES else "",
        confirm=raw.get("confirm") is True,
    )


def _choices(raw: Any) -> tuple[Choice, ...]:
    """The readable choices of a list, each id once."""
    found: dict[str, Choice] = {}
    for item in raw if isinstance(raw, list) else []:
        choice = _choice(item)
        if choice is not None:
            found.setdefault(choice.id, choice)
    return tuple(found.values())


def _is_dismissal(heading: Heading, response: Mapping[str, Any]) -> bool:
    return bool(heading.dismiss_label) and dict(response) == DISMISSED


def _refuse_unknown_keys(response: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(response) - known)
    if unknown:
        raise InvalidAnswerError({name: _("This is not part of the question.") for name in unknown})


@dataclass(frozen=True)
class Approval:
    """Pick one option, with a comment if the agent allows one."""

    template: ClassVar[str] = "approval"
    heading: Heading
    choices: tuple[Choice, ...]
    allow_comment: bool

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Approval":
        given = payload.get("options")
        if given is None or given == []:
            choices: tuple[Choice, ...] = (
                Choice("approve", _("Approve"), style="primary"),
                Choice("reject", _("Reject"), style="danger"),
            )
        else:
            choices = tuple(cls._styled(_choices(given)))
        if not choices:
            raise UnreadablePayloadError
        return cls(_heading(payload), choices, payload.get("allowComment") is True)

    @staticmethod
    def _styled(choices: tuple[Choice, ...]) -> Iterator[Choice]:
        """Give styles where the agent gave none at all: refusals are red, the first is primary."""
        plain = not any(choice.style for choice in choices)
        for index, choice in enumerate(choices):
            refusing = choice.id.lower() in REFUSING
            style = "danger" if refusing else "primary" if index == 0 else "secondary"
            yield (
                Choice(choice.id, choice.label, choice.description, style, choice.confirm)
                if plain
                else choice
            )

    def check(self, response: Mapping[str, Any]) -> None:
        _refuse_unknown_keys(response, {"selectedOption", "comment"})
        if response.get("selectedOption") not in {choice.id for choice in self.choices}:
            raise InvalidAnswerError({"selectedOption": _("Choose one of the options.")})
        comment = response.get("comment")
        if comment is not None and not (self.allow_comment and isinstance(comment, str)):
            raise InvalidAnswerError({"comment": _("This request takes no comment.")})


@dataclass(frozen=True)
class Selection:
    """Pick one or several items of a list."""

    template: ClassVar[str] = "selection"
    heading: Heading
    choices: tuple[Choice, ...]
    multiple: bool

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Selection":
        choices = _choices(payload.get("items") or payload.get("options"))
        if not choices:
            raise UnreadablePayloadError
        multiple = payload.get("mode") == "multi" or payload.get("multiple") is True
        return cls(_heading(payload), choices, multiple)

    def check(self, response: Mapping[str, Any]) -> None:
        if _is_dismissal(self.heading, response):
            return
        _refuse_unknown_keys(response, {"selectedIds"})
        picked = response.get("selectedIds")
        if not isinstance(picked, list) or not picked:
            raise InvalidAnswerError({"selectedIds": _("Choose at least one item.")})
        known = {choice.id for choice in self.choices}
        if any(not isinstance(item, str) or item not in known for item in picked):
            raise InvalidAnswerError({"selectedIds": _("Choose only items of the list.")})
        if len(picked) != len(set(picked)) or (len(picked) > 1 and not self.multiple):
            raise InvalidAnswerError({"selectedIds": _("Choose one item.")})


@dataclass(frozen=True)
class Form:
    """Fill in fields."""

    template: ClassVar[str] = "form"
    heading: Heading
    fields: tuple[Field, ...]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Form":
        raw = payload.get("fields")
        fields: dict[str, Field] = {}
        for item in raw if isinstance(raw, list) else []:
            name = _text(item.get("name")) if isinstance(item, Mapping) else ""
            if name:
                fields.setdefault(name, _field(name, item))
        if not fields:
            raise UnreadablePayloadError
        return cls(_heading(payload), tuple(fields.values()))

    def check(self, response: Mapping[str, Any]) -> None:
        if _is_dismissal(self.heading, response):
            return
        _refuse_unknown_keys(response, {entry.name for entry in self.fields})
        errors = {
            entry.name: problem
            for entry in self.fields
            if (problem := _problem(entry, response.get(entry.name)))
        }
        if errors:
            raise InvalidAnswerError(errors)

    @property
    def passwords(self) -> frozenset[str]:
        return frozenset(entry.name for entry in self.fields if entry.type == "password")


def _field(name: str, raw: Mapping[str, Any]) -> Field:
    kind = _text(raw.get("type"))
    default = raw.get("defaultValue")
    choices = _choices(raw.get("options"))
    if kind not in FIELD_TYPES or (kind == "select" and not choices):
        kind = "text"
    return Field(
        name=name,
        type=kind,
        label=_text(raw.get("label")) or name,
        required=raw.get("required") is True,
        placeholder=_text(raw.get("placeholder")),
        description=_text(raw.get("description")),
        choices=choices,
        default=default if isinstance(default, str | int | float | bool) else None,
        min=_number(raw.get("min")),
        max=_number(raw.get("max")),
        step=_number(raw.get("step")),
        unit=_text(raw.get("unit")),
    )


def _problem(entry: Field, value: Any) -> str:
    """What is wrong with one field's value; nothing is an empty string."""
    if value is None or value == "" or (entry.type == "checkbox" and value is False):
        return _("Fill in this field.") if entry.required else ""
    if entry.type in NUMERIC:
        return _number_problem(entry, value)
    if entry.type == "checkbox":
        return "" if isinstance(value, bool) else _("This is yes or no.")
    if not isinstance(value, str):
        return _("This must be text.")
    if entry.type == "select" and value not in {choice.id for choice in entry.choices}:
        return _("Choose one of the options.")
    return ""


def _number_problem(entry: Field, value: Any) -> str:
    number = _number(value)
    if number is None:
        return _("Enter a number.")
    if entry.min is not None and number < entry.min:
        return _("Enter %(limit)g or more.") % {"limit": entry.min}
    if entry.max is not None and number > entry.max:
        return _("Enter %(limit)g or less.") % {"limit": entry.max}
    return ""


@dataclass(frozen=True)
class TextInput:
    """Write or correct a text."""

    template: ClassVar[str] = "text_input"
    heading: Heading
    placeholder: str
    prefill: str
    markdown: bool
    min_length: int
    max_length: int | None

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "TextInput":
        shortest, longest = _number(payload.get("minLength")), _number(payload.get("maxLength"))
        return cls(
            heading=_heading(payload),
            placeholder=_text(payload.get("placeholder")),
            prefill=_text(payload.get("prefill")),
            markdown=payload.get("markdown") is True,
            min_length=int(shortest) if shortest and shortest > 0 else 0,
            max_length=int(longest) if longest and longest > 0 else None,
        )

    def check(self, response: Mapping[str, Any]) -> None:
        if _is_dismissal(self.heading, response):
            return
        _refuse_unknown_keys(response, {"text"})
        text = response.get("text")
        if not isinstance(text, str) or not text.strip():
            raise InvalidAnswerError({"text": _("Write an answer.")})
        if len(text) < self.min_length:
            wanted = {"limit": self.min_length, "now": len(text)}
            raise InvalidAnswerError(
                {"text": _("Write at least %(limit)d characters; these are %(now)d.") % wanted}
            )
        if self.max_length is not None and len(text) > self.max_length:
            wanted = {"limit": self.max_length, "now": len(text)}
            raise InvalidAnswerError(
                {"text": _("Write at most %(limit)d characters; these are %(now)d.") % wanted}
            )


@dataclass(frozen=True)
class Freeform:
    """Any JSON object. Also what an unknown kind, or an unreadable payload, is asked as."""

    template: ClassVar[str] = "freeform"
    heading: Heading
    schema: Any = None
    notice: str = ""
    unread: Any = field(default=None)

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Freeform":
        return cls(_heading(payload), schema=payload.get("schema"))

    def check(self, response: Mapping[str, Any]) -> None:
        """Any object is an answer; that it is one has been settled by its type."""


KINDS: dict[str, Callable[[Mapping[str, Any]], Question]] = {
    "approval": Approval.read,
    "selection": Selection.read,
    "form": Form.read,
    "text-input": TextInput.read,
    "freeform": Freeform.read,
}


def read_question(kind: str, payload: Any) -> Question:
    """Read a payload as its kind, or as freeform with a notice that says why."""
    fields = payload if isinstance(payload, Mapping) else {}
    reader = KINDS.get(kind)
    if reader is None:
        notice = _("This kind of request is not known here. Answer with a JSON object.")
        return Freeform(_heading(fields), notice=notice, unread=payload)
    try:
        return reader(fields)
    except UnreadablePayloadError:
        notice = _("The agent's question could not be read. Answer with a JSON object.")
        return Freeform(_heading(fields), notice=notice, unread=payload)


def check_feedback(response: Mapping[str, Any], feedback: str) -> None:
    """Options that ask for a change need words that say which.

    Raises: InvalidAnswerError.
    """
    if response.get("selectedOption") in NEEDS_FEEDBACK and not feedback.strip():
        raise InvalidAnswerError({"feedback": _("Say what should change.")})


def redact_passwords(kind: str, payload: Any, response: Mapping[str, Any]) -> dict[str, Any]:
    """Replace what was typed into password fields (Placet contract 4.6)."""
    question = read_question(kind, payload)
    secret = question.passwords if isinstance(question, Form) else frozenset()
    return {
        name: REDACTED if name in secret and value else value for name, value in response.items()
    }
