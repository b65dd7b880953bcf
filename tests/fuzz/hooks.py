"""What Schemathesis loads: real ids in place of most generated ones, short waits, and known words.

Without them nearly every call would end at "Not your agent", or at a password that is not right.
What came of each operation is written down, for `__main__` to judge.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import schemathesis

from api.people.examples import BODIES
from tests.e2e.stack import EMAIL, PASSWORD

IDS: dict[str, list[str]] = json.loads(os.environ["LICET_FUZZ_IDS"])
KIND = {
    "agent_id": "agents",
    "agentId": "agents",
    "agent": "agents",
    "channel": "agents",
    "channelId": "agents",
    "channel_id": "agents",
    "message_server_id": "servers",
    "in_reply_to_message_id": "messages",
    "parentChannelId": "agents",
    "stream_id": "streams",
    "streamId": "streams",
    "message_id": "messages",
    "iterationOf": "messages",
    "cursor": "messages",
    "after": "cursors",
    "file_id": "files",
    "plugin_name": "plugins",
    "attachmentIds": "files",
    "ids": "files",
    "user_id": "users",
    "key_id": "keys",
    "log_id": "logs",
    "conversation_id": "conversations",
    "reply_to_message_id": "spoken",
}
# Where most of a kind would not do.
FITTING = {
    "answerReview": ("message_id", "asked"),
    "sendAgain": ("message_id", "told"),
    "getAvatar": ("agent_id", "pictured"),
}
# What has to be right as a whole; no generator would find it. Null leaves a field out. A password
# that stays as it was ends nothing that other calls need.
RIGHT_BODIES: dict[str, dict[str, Any]] = {
    "answerReview": BODIES["answerReview"],
    "postChannelMessage": {
        "content": "Hello",
        "author_id": None,
        "message_server_id": None,
        "in_reply_to_message_id": None,
    },
    "changePassword": {"currentPassword": PASSWORD, "newPassword": PASSWORD},
    "signIn": {"email": EMAIL, "password": PASSWORD},
    "subscribePush": BODIES["subscribePush"],
}
WORKSPACE = "X-Workspace"
RIGHT_SHARE = 0.3
REAL_SHARE = 0.8
LONGEST_ID = 300
LONGEST_WAIT_MS = 20
WAITS_FOR_REPLIES = "/api/messaging/channels/{channel_id}/messages"

_chance = random.Random(1)  # noqa: S311  # which cases get a real id is no secret


def _real(name: str, value: Any) -> Any:
    """A real id for a plausible one. What breaks the schema stays: it has to be refused."""
    plausible = isinstance(value, str) and 0 < len(value) <= LONGEST_ID
    if name not in KIND or not plausible or _chance.random() > REAL_SHARE:
        return value
    return _chance.choice(IDS[KIND[name]])


def _with_real_ids(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    for name, value in values.items():
        if name in KIND and isinstance(value, list):
            values[name] = [_real(name, each) for each in value]
        else:
            values[name] = _real(name, value)
    return values


def _name_of(context: Any) -> str:
    return str(context.operation.definition.raw.get("operationId", ""))


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    name, kind = FITTING.get(_name_of(context), ("", ""))
    if kind and path_parameters and _chance.random() < REAL_SHARE:
        return path_parameters | {name: _chance.choice(IDS[kind])}
    return _with_real_ids(path_parameters)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    right = RIGHT_BODIES.get(_name_of(context))
    if right and _is_plausible(body, right) and _chance.random() < RIGHT_SHARE:
        return body | right
    return _with_real_ids(body)


def _is_plausible(body: Any, right: dict[str, Any]) -> bool:
    """What breaks the schema stays, here too: it has to be refused."""
    return isinstance(body, dict) and all(
        _is_like(body.get(name), value) for name, value in right.items()
    )


def _is_like(value: Any, right: Any) -> bool:
    if right is None:
        return True  # left out, whatever it was
    if isinstance(right, dict) and right:
        return _is_plausible(value, right)
    return isinstance(value, type(right)) and bool(value)


@schemathesis.hook
def map_headers(context: Any, headers: Any) -> Any:
    """Most calls are about the caller's own workspace, as if none was named."""
    if headers and WORKSPACE in headers and _chance.random() < REAL_SHARE:
        return {name: value for name, value in headers.items() if name != WORKSPACE}
    return headers


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    name = case.operation.definition.raw.get("operationId", "")
    with Path(os.environ["LICET_FUZZ_SEEN"]).open("a") as seen:
        seen.write(f"{name} {response.status_code}\n")


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:
    return _with_real_ids(query)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A made-up timeout may mean 30 seconds, and so does none at all."""
    if case.operation.path.endswith("/wait") or case.operation.path == WAITS_FOR_REPLIES:
        case.query = dict(case.query or {}) | {"timeout": LONGEST_WAIT_MS}
