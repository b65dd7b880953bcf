"""What the log shows of bodies: nothing secret, nothing endless, and JSON in every case."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import masking
from api.masking import LONGEST_BODY, facts, is_secret, masked_text, shown_body, shown_value

ROOM = LONGEST_BODY + 2048  # what marks of a cut may add
OUR_KEY = "hp_" + "4Zr8Qw1xT6uYb3Nc9VmK2sLd7FhJ0gPaEo5R"


def shown(value: Any) -> Any:
    return json.loads(shown_value(value))


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "PASSWD",
        "client-secret",
        "accessToken",
        "Authorization",
        "apiKey",
        "x-api-key",
        "API_KEY",
        "webhookAuth",
        "webhookHeaders",
        "Set-Cookie",
        "auth",
        "privateKey",
    ],
)
def test_field_with_a_telling_name_is_hidden(name: str) -> None:
    assert is_secret(name)
    assert "plain-text" not in shown_value({"deep": [{name: "plain-text"}]})
    assert "plain-text" not in shown_value({name: {"x-own": "plain-text"}})
    assert "plain-text" not in shown_value({name: ["plain-text"]})


@pytest.mark.parametrize("name", ["text", "author", "pinned", "channelId", "keyboard", "status"])
def test_other_fields_are_shown(name: str) -> None:
    assert shown({name: "plain-text"}) == {name: "plain-text"}


def test_that_there_was_nothing_is_shown() -> None:
    assert shown({"webhookAuth": None, "hasToken": False}) == {
        "webhookAuth": None,
        "hasToken": False,
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"use {OUR_KEY} here", "use hp_*** here"),
        (f"key={OUR_KEY}", "key=hp_***"),
        ("lp_" + "x" * 43, "lp_***"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N", "***"),
        ("https://ada:lovelace@example.org/in", "https://example.org/in"),
        (
            "https://n8n.example.org/resume/7?signature=abc&x=1",
            "https://n8n.example.org/resume/7?***",
        ),
        ("at https://example.org/#access_token=abc.", "at https://example.org/?***"),
        ("https://ada:p#ss@example.org/", "https://***?***"),
        ("https://[::1]:8000/a", "https://[::1]:8000/a"),
        ("two http://a/?k=1 and http://b:80/?k=2", "two http://a/?*** and http://b:80/?***"),
        ("/api/v1/messages?search=abc", "/api/v1/messages?***"),
        ("/api/v1/messages", "/api/v1/messages"),
        ("hp_4Zr8Qw1x is its prefix", "hp_4Zr8Qw1x is its prefix"),
    ],
)
def test_secret_is_found_inside_a_text(text: str, left: str) -> None:
    assert masked_text(text, 1000) == left


def test_secret_is_found_in_a_name() -> None:
    assert OUR_KEY not in shown_value({OUR_KEY: 1})


def test_cut_does_not_leave_half_a_secret() -> None:
    for start in range(60):
        text = "x" * start + " " + OUR_KEY
        assert OUR_KEY[:14] not in masked_text(text, 50)
        assert "lovelace"[:4] not in masked_text("x" * start + " http://ada:lovelace@a/", 50)


def test_answer_to_a_password_field_is_hidden() -> None:
    fields = [
        {"name": "pin code", "type": "password", "defaultValue": "typed-before"},
        {"name": "user", "type": "text", "defaultValue": "ada"},
    ]
    message = {
        "review": {
            "type": "form",
            "payload": {"fields": fields},
            "response": {"pin code": "typed-now", "user": "ada"},
        }
    }
    text = shown_value(message)
    assert "typed-before" not in text
    assert "typed-now" not in text
    assert json.loads(text)["review"]["response"] == {"pin code": "***", "user": "ada"}


@pytest.mark.parametrize(
    "value",
    [
        "x" * 1_000_000,
        "\x01" * 1_000_000,
        "😀" * 200_000,
        ["x" * 100] * 10_000,
        [1] * 300_000,
        [{}] * 300_000,
        [[[[[]]]]] * 100_000,
        {f"name {number}": number for number in range(100_000)},
        {"x" * 500_000: "x" * 500_000},
        {chr(1) * 300 + str(number): 1 for number in range(1000)},
        {"password": ["x"] * 100_000, "webhookHeaders": {str(n): "x" for n in range(50_000)}},
        ["://" * 100_000, "bearer " * 100_000, "hp_" * 100_000, "eyJ" * 100_000],
    ],
    ids=range(12),
)
def test_large_body_is_cut_and_stays_json(value: Any) -> None:
    text = shown_value(value)
    assert len(text.encode()) <= ROOM
    assert "…" in text
    json.loads(text)


def test_short_body_is_not_cut() -> None:
    value = {"text": "x" * 7000, "list": [1, 2.5, None, True], "object": {"é": "日本"}}
    assert shown(value) == value


def test_how_much_is_missing_is_said() -> None:
    assert shown(["x" * 1000] * 50)[-1].endswith(" more")


def test_deep_body_is_cut() -> None:
    value: Any = []
    for _ in range(900):
        value = [value]
    assert "…" in shown_value(value)
    assert shown_body(json.dumps(value).encode()) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"",
        b'{"a":"\xff"}',
        b'"\\ud800"',
        b"[" * 1_000_000,
        b"{}{}",
        b"NaN",
        b"[1e400]",
    ],
)
def test_what_is_not_json_is_not_shown(body: bytes) -> None:
    assert shown_body(body) is None


def test_nul_and_huge_numbers_are_shown() -> None:
    assert json.loads(shown_body(b'["\\u0000", 1e300, 123456789012345678901234567890]') or "")


# Half of the words mean something to the log, so that most bodies hold some of it.
WORDS = st.sampled_from(
    [
        *("token", "x-api-key", "response", "defaultValue", "type", "payload", "Set-Cookie", "n"),
        *("password", "eyJhbGciOi.x.y", "Bearer abcdefgh1234", OUR_KEY, "https://u:p@h/p?q=1"),
        *("/path?secret=1", "", "é", ":token", '"', "\\", "/", "x" * 300, "plain", "{", "]:"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda deeper: st.lists(deeper, max_size=4) | st.dictionaries(WORDS, deeper, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, (", ", ": "), (",", " :")]))
def test_body_that_is_spared_the_walk_is_shown_as_the_walk_would(
    value: Any, separators: tuple[str, str] | None
) -> None:
    body = json.dumps(value, separators=separators, ensure_ascii=False).encode()
    assert json.loads(shown_body(body) or "") == shown(orjson.loads(body))


def test_body_without_secrets_is_spared_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "shown_value", None)
    body = {"text": "Deploy?", "review": {"type": "approval", "payload": {"options": ["a", "b"]}}}
    assert json.loads(shown_body(json.dumps(body).encode()) or "") == body


def test_deep_body_is_not_spared_the_walk() -> None:
    body = b"[" * 65 + b"]" * 65
    assert "…" in (shown_body(body) or "")


def test_facts_say_what_came_and_no_more() -> None:
    assert json.loads(facts("multipart/form-data", 12, ["file", OUR_KEY])) == {
        "notKept": "multipart/form-data",
        "bytes": 12,
        "parts": ["file", "hp_***"],
    }
