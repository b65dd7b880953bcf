"""What a person posted, as the answer that an agent gets: one small reader for each question."""

import json
import math
import re
from functools import singledispatch
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from reviews.kinds import (
    DISMISSED,
    NUMERIC,
    Approval,
    Field,
    Form,
    Freeform,
    InvalidAnswerError,
    Question,
    Selection,
    TextInput,
)

PREFIX = "f."
LONGEST_NUMBER = 40
LONGEST_FEEDBACK = 20_000
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_answer(question: Question, posted: QueryDict) -> dict[str, Any]:
    """Build the response from form fields named `f.<name>`.

    Raises: InvalidAnswerError for what cannot even be read; the question judges the rest.
    """
    if question.heading.dismiss_label and "dismiss" in posted:
        return dict(DISMISSED)
    if "proposed" in posted:
        return read_object(posted.get("proposal", ""), "proposal")
    return _read(question, posted)


def read_feedback(posted: QueryDict) -> str:
    """Raises: InvalidAnswerError."""
    text = _lines(posted.get("feedback", "")).strip()
    if "\0" in text:
        raise InvalidAnswerError({"feedback": _("This text holds a character that is not text.")})
    if len(text) > LONGEST_FEEDBACK:
        limit = {"limit": LONGEST_FEEDBACK}
        raise InvalidAnswerError({"feedback": _("Write at most %(limit)d characters.") % limit})
    return text


@singledispatch
def _read(question: Question, posted: QueryDict) -> dict[str, Any]:
    raise TypeError(f"no reader for {type(question).__name__}")


@_read.register
def _approval(question: Approval, posted: QueryDict) -> dict[str, Any]:
    response: dict[str, Any] = {"selectedOption": posted.get("option", "")}
    comment = _lines(posted.get("f.comment", "")).strip()
    return response | ({"comment": comment} if comment else {})


@_read.register
def _selection(question: Selection, posted: QueryDict) -> dict[str, Any]:
    return {"selectedIds": posted.getlist("f.selectedIds")}


@_read.register
def _form(question: Form, posted: QueryDict) -> dict[str, Any]:
    """Every problem at once. An optional field that was left empty is absent."""
    response: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in question.fields:
        try:
            value = _value(field, posted)
        except ValueError:
            errors[field.name] = _("Enter a number.")
        else:
            if value is not None:
                response[field.name] = value
    if errors:
        raise InvalidAnswerError(errors | _other_problems(question, response, errors))
    return response


def _other_problems(
    question: Form, response: dict[str, Any], unread: dict[str, str]
) -> dict[str, str]:
    """What is wrong with the fields that could be read."""
    try:
        question.check(response)
    except InvalidAnswerError as refusal:
        return {name: text for name, text in refusal.errors.items() if name not in unread}
    return {}


def _value(field: Field, posted: QueryDict) -> Any:
    """Raises: ValueError for a number that is none."""
    given = posted.get(PREFIX + field.name, "")
    if field.type == "checkbox":
        return bool(given)
    if field.type in NUMERIC:
        return _number(given.strip()) if given.strip() else None
    text = _lines(given)
    return text or None


def _number(text: str) -> int | float:
    """A number as JSON has it: whole where it is whole.

    Raises: ValueError.
    """
    if len(text) > LONGEST_NUMBER:
        raise ValueError(text)
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if number.is_integer() else number


@_read.register
def _text_input(question: TextInput, posted: QueryDict) -> dict[str, Any]:
    return {"text": _lines(posted.get("f.text", "")).strip()}


@_read.register
def _freeform(question: Freeform, posted: QueryDict) -> dict[str, Any]:
    return read_object(posted.get("f.json", ""), "json")


def read_object(text: str, name: str) -> dict[str, Any]:
    """A JSON object that can be sent; `name` says whose problem it is if it is none.

    Raises: InvalidAnswerError.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as problem:
        where = {"line": problem.lineno, "column": problem.colno, "problem": problem.msg}
        message = _("Line %(line)d, column %(column)d: %(problem)s") % where
        raise InvalidAnswerError({name: message}) from None
    except (ValueError, RecursionError):
        message = _("This JSON holds a value that cannot be sent.")
        raise InvalidAnswerError({name: message}) from None
    if not isinstance(value, dict):
        raise InvalidAnswerError({name: _("The answer must be an object: {…}.")})
    return value


def _refuse_constant(name: str) -> Any:
    """`NaN` and `Infinity` are Python's, not JSON's."""
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _lines(text: str) -> str:
    """Browsers post line ends as CRLF."""
    return text.replace("\r\n", "\n")
