"""Where this dialect's routes are, and what every refusal of it looks like."""

from typing import Any

from api.eliza.errors import CODES
from inbox.models import Channel

INGEST = "/api/messaging/ingest-external"
SERVER = "/api/messaging/message-server/current"
AUTHOR = "7b1f6c0e-53d2-4a8e-9f64-2c8d0b7e1a35"
MISSING = "01a1fbfb-face-7572-91e0-670124d68395"


def messages_of(channel: Channel | str) -> str:
    channel_id = channel.pk if isinstance(channel, Channel) else channel
    return f"/api/messaging/channels/{channel_id}/messages"


def told(answer: Any) -> Any:
    """`data` of a success."""
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["success"] is True
    return body["data"]


def assert_refused(answer: Any, *statuses: int) -> dict[str, str]:
    """The error of a refusal."""
    assert answer.status_code in statuses, answer.content
    body = answer.json()
    assert body.keys() == {"success", "error"}
    assert body["success"] is False
    error: dict[str, str] = body["error"]
    assert error.keys() == {"code", "message", "details"}
    assert error["code"] == CODES[answer.status_code]
    assert all(isinstance(value, str) and value for value in error.values())
    return error
