"""What each operation takes and gives, as the OpenAPI document shows it. A test sends them all."""

from typing import Any

from api.eliza.errors import NO_CHANNEL, error_body
from api.placet.examples import AGENT_ID, MESSAGE_ID

SERVER_ID = "019a9c3d-10c2-7f51-8a3e-5b9d20e4c716"
REPLY_ID = "019a9c45-6e13-7b70-9d2a-18c5f0a97be4"
AUTHOR_ID = "7b1f6c0e-53d2-4a8e-9f64-2c8d0b7e1a35"
ROOM_ID = "c2a5e4f0-8b17-4d39-a6c1-9e3f7d5b2084"

MESSAGE: dict[str, Any] = {
    "id": REPLY_ID,
    "text": "Ship it after lunch, please.",
    "userId": AUTHOR_ID,
    "agentId": AGENT_ID,
    "roomId": AGENT_ID,
    "createdAt": 1775053800000,
    "metadata": {"user_display_name": "Ada", "priority": "normal"},
    "channelId": AGENT_ID,
    "authorId": AUTHOR_ID,
    "content": "Ship it after lunch, please.",
    "sourceType": "eliza_gui",
    "sourceId": None,
    "inReplyToRootMessageId": MESSAGE_ID,
    "updatedAt": 1775053800000,
}

BODIES: dict[str, Any] = {
    "postChannelMessage": {
        "author_id": AUTHOR_ID,
        "content": "Ship it after lunch, please.",
        "message_server_id": SERVER_ID,
        "in_reply_to_message_id": MESSAGE_ID,
        "metadata": {"user_display_name": "Ada", "priority": "normal"},
        "source_type": "eliza_gui",
        "mode": "websocket",
    },
    "ingestExternal": {
        "agentId": AGENT_ID,
        "roomId": ROOM_ID,
        "userId": AUTHOR_ID,
        "text": "Is the shop down?",
        "sourceId": "1162398814270701618",
        "sourceType": "discord",
        "metadata": {"userName": "ada", "roomName": "#support"},
    },
}

ANSWERS: dict[str, Any] = {
    "postChannelMessage": {"success": True, "data": MESSAGE},
    "listChannelMessages": {
        "success": True,
        "data": {"messages": [MESSAGE], "nextCursor": None},
    },
    "ingestExternal": {"success": True},
    "currentMessageServer": {"success": True, "data": {"messageServerId": SERVER_ID}},
}

ERROR_TEXTS = {
    400: (
        "Missing required fields: content",
        "content: is required; author_id: must be a UUID",
    ),
    401: ("Missing or invalid API key",) * 2,
    403: ("message_server_id is not the server of this channel",) * 2,
    404: (NO_CHANNEL,) * 2,
    408: ("The body did not arrive in time.",) * 2,
    413: ("The body is larger than 1048576 bytes.",) * 2,
    415: ("Send the body as application/json.",) * 2,
    429: ("Too many requests. Try again in 12 s.",) * 2,
    503: ("The database cannot be reached. Try again.",) * 2,
}


def error_example(status: int) -> dict[str, Any]:
    """The envelope as this status fills it."""
    return error_body(status, *ERROR_TEXTS[status])
