"""How payloads are read, near misses included, and how answers are judged."""

from typing import Any

import pytest

from reviews.kinds import (
    REDACTED,
    Approval,
    Form,
    Freeform,
    InvalidAnswerError,
    Selection,
    TextInput,
    check_feedback,
    read_question,
    redact_passwords,
)

FORM = {
    "fields": [
        {"name": "amount", "type": "number", "required": True, "min": 1, "max": 10},
        {"name": "ok", "type": "checkbox"},
        {"name": "size", "type": "select", "options": ["s", {"value": "m", "label": "M"}]},
        {"name": "pin", "type": "password"},
    ],
    "dismissLabel": "Not now",
}
ITEMS = {"items": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]}


def test_approval_without_options_offers_approve_and_reject() -> None:
    question = read_question("approval", None)
    assert isinstance(question, Approval)
    assert [choice.id for choice in question.choices] == ["approve", "reject"]


def test_option_given_as_a_string_keeps_it_as_its_id() -> None:
    question = read_question("approval", {"options": ["approve", "reject"]})
    assert isinstance(question, Approval)
    assert [(c.id, c.label, c.style) for c in question.choices] == [
        ("approve", "Approve", "primary"),
        ("reject", "Reject", "danger"),
    ]


def test_selection_reads_options_multiple_and_prompt() -> None:
    question = read_question("selection", {"options": ["x"], "multiple": True, "prompt": "Which?"})
    assert isinstance(question, Selection)
    assert question.multiple
    assert question.heading.title == "Which?"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("approval", {"options": [7.5, None, {}]}),
        ("selection", {}),
        ("selection", {"items": "abc"}),
        ("form", {"fields": [{"type": "text"}, 7]}),
        ("unheard-of", {"anything": 1}),
        ("unheard-of", None),
        ("form", [1, 2]),
    ],
)
def test_what_cannot_be_read_is_asked_freely_with_a_notice(kind: str, payload: Any) -> None:
    question = read_question(kind, payload)
    assert isinstance(question, Freeform)
    assert question.notice


VALID: list[tuple[str, Any, dict[str, Any]]] = [
    ("approval", {}, {"selectedOption": "reject"}),
    ("approval", {"allowComment": True}, {"selectedOption": "approve", "comment": "go"}),
    ("selection", ITEMS, {"selectedIds": ["b"]}),
    ("selection", ITEMS | {"mode": "multi"}, {"selectedIds": ["a", "b"]}),
    ("selection", ITEMS | {"dismissLabel": "Skip"}, {"_dismissed": True}),
    ("form", FORM, {"amount": 2.5, "ok": False, "size": "m"}),
    ("form", FORM, {"_dismissed": True}),
    ("text-input", {"minLength": 2, "maxLength": 4}, {"text": "abc"}),
    ("freeform", {}, {}),
]


@pytest.mark.parametrize(("kind", "payload", "response"), VALID)
def test_fitting_answer_is_accepted(kind: str, payload: Any, response: dict[str, Any]) -> None:
    read_question(kind, payload).check(response)


INVALID: list[tuple[str, Any, dict[str, Any], str]] = [
    ("approval", {}, {"selectedOption": "maybe"}, "selectedOption"),
    ("approval", {}, {}, "selectedOption"),
    ("approval", {}, {"selectedOption": "approve", "comment": "x"}, "comment"),
    ("approval", {}, {"selectedOption": "approve", "extra": 1}, "extra"),
    ("approval", {}, {"_dismissed": True}, "_dismissed"),
    ("selection", ITEMS, {"selectedIds": []}, "selectedIds"),
    ("selection", ITEMS, {"selectedIds": ["a", "b"]}, "selectedIds"),
    ("selection", ITEMS, {"selectedIds": ["c"]}, "selectedIds"),
    ("selection", ITEMS | {"mode": "multi"}, {"selectedIds": ["a", "a"]}, "selectedIds"),
    ("form", FORM, {}, "amount"),
    ("form", FORM, {"amount": 11}, "amount"),
    ("form", FORM, {"amount": "3"}, "amount"),
    ("form", FORM, {"amount": float("nan")}, "amount"),
    ("form", FORM, {"amount": True}, "amount"),
    ("form", FORM, {"amount": 1, "size": "xl"}, "size"),
    ("form", FORM, {"amount": 1, "ok": "yes"}, "ok"),
    ("form", FORM, {"amount": 1, "other": 1}, "other"),
    ("text-input", {}, {"text": "  "}, "text"),
    ("text-input", {"minLength": 3}, {"text": "ab"}, "text"),
    ("text-input", {"maxLength": 3}, {"text": "abcd"}, "text"),
    ("text-input", {}, {"text": 7}, "text"),
]


@pytest.mark.parametrize(("kind", "payload", "response", "field"), INVALID)
def test_answer_that_does_not_fit_says_where(
    kind: str, payload: Any, response: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidAnswerError) as refusal:
        read_question(kind, payload).check(response)
    assert field in refusal.value.errors


def test_asking_for_changes_needs_words() -> None:
    with pytest.raises(InvalidAnswerError):
        check_feedback({"selectedOption": "request_changes"}, " ")
    check_feedback({"selectedOption": "request_changes"}, "Shorter")
    check_feedback({"selectedOption": "approve"}, "")


def test_only_password_fields_are_hidden() -> None:
    hidden = redact_passwords("form", FORM, {"pin": "1234", "amount": 1})
    assert hidden == {"pin": REDACTED, "amount": 1}


def test_fields_and_text_are_read_with_their_limits() -> None:
    form = read_question("form", FORM)
    text = read_question("text-input", {"prompt": "Write", "minLength": 2, "maxLength": "x"})
    assert isinstance(form, Form)
    assert isinstance(text, TextInput)
    assert form.passwords == {"pin"}
    assert (text.min_length, text.max_length, text.heading.title) == (2, None, "Write")
