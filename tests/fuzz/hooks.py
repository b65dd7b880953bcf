"""What Schemathesis loads: real ids in place of most generated ones, and short waits.

Without them nearly every call would end at "Not your agent".
"""

import json
import os
import random
from typing import Any

import schemathesis

IDS: dict[str, list[str]] = json.loads(os.environ["LICET_FUZZ_IDS"])
KIND = {
    "agent_id": "agents",
    "agentId": "agents",
    "channel": "agents",
    "channelId": "agents",
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
}
REAL_SHARE = 0.8
LONGEST_ID = 300
LONGEST_WAIT_MS = 20

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


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    return _with_real_ids(path_parameters)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    return _with_real_ids(body)


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:
    """A generated timeout may be 30 seconds long, and so is none at all."""
    if context.operation.path.endswith("/wait"):
        query = dict(query or {})
        query["timeout"] = LONGEST_WAIT_MS
    return _with_real_ids(query)
