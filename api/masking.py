"""What a log shows of a body: without secrets, and no longer than anybody reads.

1. JSON is taken apart, masked and cut on one walk that ends when its room is used up: a large body
   costs no more than a small one. What comes out is JSON again; where it was cut, it says so.
   A small body in which no secret could stand, as most are, is spared the walk.
2. Of anything else only facts are kept: nobody knows where in it a secret stands.

A secret is known by the name of its field, by its look (our own keys, bearers, signed tokens), or
by its place: the login and the query of an address, and what a person typed into a password field.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from reviews.kinds import redact_passwords

MASK = "***"
CUT = "…"
LONGEST_BODY = 8 * 1024
LONGEST_NAME = 200
MARGIN = 1024  # a secret that a cut goes through is seen whole
DEEPEST = 64
ROOM_FOR_MARK = 40
MOST_ESCAPED = 6  # bytes of one character in JSON

SECRET_NAMES = re.compile(
    r"passw|passphrase|passcode|pwd|secret|token|authorization|authentication|apikey|cookie"
    r"|credential|privatekey|accesskey|sessionid|signature|webhookauth|webhookheaders"
    r"|^(?:auth|pin|otp|cvc|cvv)$"
)
NOT_A_LETTER = re.compile(r"[^a-z]")
KEY = re.compile(r"(hp|lp|whsec|whsk)_[A-Za-z0-9+/=_-]{12,}")
BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE)
SIGNED = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)*")
ADDRESS = re.compile(r"://[^\s\"'<>]++")
PAIR = re.compile(r"""(["']?([A-Za-z0-9_-]{1,60}+)["']?\s{0,5}[:=]\s{0,5}["']?)[^\s"',;&}]++""")
OWN_PATH = re.compile(r"\A(/[^\s?#]*+)[?#]\S++")  # as errors name what was asked for
# What none of the above finds anything without.
SUSPECT = re.compile(r"(?:hp|lp|whsec|whsk)_|bearer|basic|eyJ|://|\A/", re.IGNORECASE)
QUERY = re.compile(r"[?#]")
# The same in the bytes of a whole body, in lower case; an escape may hide anything.
SUSPECT_IN_BODY = (
    *(b"hp_", b"lp_", b"whsec_", b"whsk_", b"bearer", b"basic", b"eyj", b"://", b'"/', b"\\"),
)
# Fields whose neighbours say what is secret in them.
TOLD_BY_OTHERS = frozenset({"response", "defaultValue"})
HOST = re.compile(r"(?:[^:]*|\[[^\]]*\])(?::[0-9]*)?")


class _Room:
    """The bytes that are left for a body. `take` says whether there are any."""

    def __init__(self, size: int) -> None:
        self.left = size - ROOM_FOR_MARK

    def take(self, size: int) -> bool:
        self.left -= size
        return self.left > 0


def shown_body(body: bytes, *, most: int = LONGEST_BODY) -> str | None:
    """A JSON body as the log keeps it; None for what is not JSON."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if _holds_no_secret(body, value, most):
        return orjson.dumps(value).decode()
    return shown_value(value, most=most)


def _holds_no_secret(body: bytes, value: Any, most: int) -> bool:
    """Whether the walk would change nothing, as far as that is seen without taking it."""
    if len(body) > most // 2:
        return False
    lowered = body.lower()
    if any(mark in lowered for mark in SUSPECT_IN_BODY):
        return False
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        return False
    return not any(map(_says_secret, _names_in(value)))


def _says_secret(name: str) -> bool:
    return len(name) > LONGEST_NAME or name in TOLD_BY_OTHERS or _is_secret(name)


def _names_in(value: Any) -> Iterator[str]:
    """The names of all fields, however deep."""
    held = [value]
    while held:
        value = held.pop()
        if isinstance(value, dict):
            yield from value
            value = value.values()
        elif not isinstance(value, list):
            continue
        held += [each for each in value if isinstance(each, dict | list)]


def shown_value(value: Any, *, most: int = LONGEST_BODY) -> str:
    """The same for a value that was read already."""
    return orjson.dumps(_masked(value, _Room(most), 0)).decode()


def facts(kind: str, size: int | None, parts: list[str] | None = None) -> str:
    """What is kept of a body that is not JSON, or was too large to be looked at."""
    known: dict[str, Any] = {"notKept": masked_text(kind, LONGEST_NAME)}
    if size is not None:
        known["bytes"] = size
    if parts is not None:
        known["parts"] = [masked_text(name, LONGEST_NAME) for name in parts[:50]]
    return orjson.dumps(known).decode()


def _masked(value: Any, room: _Room, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, room)
    if not isinstance(value, dict | list):
        room.take(len(orjson.dumps(value)) + 1)
        return value
    if depth >= DEEPEST:
        room.take(len(CUT) + 2)
        return CUT
    room.take(3)
    return _object(value, room, depth) if isinstance(value, dict) else _array(value, room, depth)


def _array(values: list[Any], room: _Room, depth: int) -> list[Any]:
    shown: list[Any] = []
    for value in values:
        if room.left <= 0:
            shown.append(f"{CUT} {len(values) - len(shown)} more")
            break
        shown.append(_masked(value, room, depth + 1))
    return shown


def _object(fields: dict[str, Any], room: _Room, depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    typed = _without_passwords(fields)
    for number, (name, value) in enumerate(typed.items()):
        label = masked_text(name, LONGEST_NAME)
        if not room.take(len(orjson.dumps(label)) + 2):
            shown[CUT] = f"{len(typed) - number} more"
            break
        hidden = _hidden(value) if is_secret(name) else value
        shown[label] = _masked(hidden, room, depth + 1)
    return shown


def is_secret(name: str) -> bool:
    """Whether a field of this name holds what nobody should read: `x-api-key`, `webhookAuth`."""
    return _is_secret(name[:LONGEST_NAME])


@functools.lru_cache(1024)
def _is_secret(name: str) -> bool:
    return bool(SECRET_NAMES.search(NOT_A_LETTER.sub("", name.lower())))


def _hidden(value: Any) -> Any:
    """Whether there was something is no secret."""
    if isinstance(value, dict):
        return dict.fromkeys(value, MASK)
    return value if value is None or isinstance(value, bool) else MASK


def _without_passwords(fields: dict[str, Any]) -> dict[str, Any]:
    """A review without what was typed into its password fields, and a field without its default."""
    if fields.get("type") == "password" and "defaultValue" in fields:
        return fields | {"defaultValue": MASK}
    response = fields.get("response")
    if not isinstance(response, dict) or not isinstance(fields.get("type"), str):
        return fields
    return fields | {"response": without_passwords(fields["type"], fields.get("payload"), response)}


def without_passwords(kind: str, payload: Any, response: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as the log shows it, judged by the question."""
    return {
        name: MASK if hidden != response[name] else hidden
        for name, hidden in redact_passwords(kind, payload, response).items()
    }


def _text(text: str, room: _Room) -> str:
    """What fits, at least nearly nothing."""
    most = max(room.left, 0)
    shown = masked_text(text, most)
    size = len(orjson.dumps(shown))
    if size > most:
        shown = masked_text(text, most // MOST_ESCAPED)
        size = len(orjson.dumps(shown))
    room.take(size + 1)
    return shown


def masked_text(text: str, most: int) -> str:
    """The first characters of a text, without what looks like a secret."""
    whole = len(text) <= most
    text = text[: most + MARGIN]
    if not SUSPECT.search(text):
        return text if whole else text[:most] + CUT
    text = KEY.sub(rf"\1_{MASK}", text)
    text = BEARER.sub(rf"\1 {MASK}", text)
    text = ADDRESS.sub(_address, SIGNED.sub(MASK, text))
    text = OWN_PATH.sub(rf"\1?{MASK}", text)
    return text if whole else text[:most] + CUT


def masked_excerpt(text: str, most: int) -> str:
    """The same for the begin of an answer that may be JSON, cut anywhere."""
    return masked_text(PAIR.sub(_pair, text[: most + MARGIN]), most)


def _pair(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}" if is_secret(found[2]) else found[0]


def _address(found: re.Match[str]) -> str:
    """Host and path; what stands before `@` and behind `?` or `#` is often a secret."""
    bare, *query = QUERY.split(found[0].removeprefix("://"), maxsplit=1)
    authority, slash, path = bare.partition("/")
    host = authority.rpartition("@")[2]
    shown = host if HOST.fullmatch(host) else MASK  # what has no port behind its colon is a login
    return f"://{shown}{slash}{path}" + ("?" + MASK if query else "")
