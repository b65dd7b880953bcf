"""What each operation takes and gives, as the OpenAPI document shows it. A test sends them all."""

from typing import Any

from api.placet.examples import EVENT, LATER, NOW

CONVERSATION_ID = "con_019a9c442b617d3e8f05c2a94e7710bd"
QUESTION_ID = "msg_019a9c4108b47f36a1d952c4e8f70b13"
REPLY_ID = "msg_019a9c4391fe70da8c4be15f02a76d38"
CURSOR = "7-3f0c1b9a5d2e4c68"

SENT: dict[str, Any] = {
    "id": REPLY_ID,
    "sender_id": "visitor-17",
    "sender_type": "user",
    "text": "Does it also ship to Norway?",
    "metadata": {"user_name": "Kim", "page": "/checkout"},
    "created_at": LATER,
}
QUESTION = SENT | {
    "id": QUESTION_ID,
    "text": "When does my order ship?",
    "metadata": {},
    "created_at": NOW,
    "reply_to_message_id": None,
}
REPLY = SENT | {"reply_to_message_id": QUESTION_ID}

BODY = {
    "conversation_id": CONVERSATION_ID,
    "sender_id": SENT["sender_id"],
    "sender_type": "user",
    "text": SENT["text"],
    "reply_to_message_id": QUESTION_ID,
    "metadata": SENT["metadata"],
    "auto_reply": True,
}
BODIES: dict[str, Any] = {"sendMessage": BODY, "sendMessageAtRoot": BODY}


def _answer(message: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "message": message, "data": data}


SENDING = _answer(
    "Message sent successfully.",
    {"conversation_id": CONVERSATION_ID, "message": SENT, "auto_reply_enqueued": True},
)
ANSWERS: dict[str, Any] = {
    "sendMessage": SENDING,
    "sendMessageAtRoot": SENDING,
    "listConversationMessages": _answer(
        "Messages retrieved successfully.",
        {"conversation_id": CONVERSATION_ID, "messages": [REPLY, QUESTION], "next_cursor": None},
    ),
    "listConversationEvents": _answer(
        "Events retrieved successfully.",
        {
            "events": [
                {
                    "id": EVENT["id"],
                    "type": "message:created",
                    "conversation_id": CONVERSATION_ID,
                    "created_at": LATER,
                    "data": {"message": REPLY},
                },
            ],
            "cursor": CURSOR,
            "has_more": False,
        },
    ),
}

ERROR_TEXTS = {
    400: "Field 'text' is required.",
    401: "Invalid or expired token.",
    404: f"Conversation not found: {CONVERSATION_ID}.",
    413: "The body is larger than 1048576 bytes.",
    415: "Send the body as application/json.",
    429: "Too many requests. Try again in 12 s.",
    503: "The database cannot be reached. Try again.",
}


def error_example(status: int) -> dict[str, Any]:
    """The envelope as this status fills it."""
    return {"status": "error", "message": ERROR_TEXTS[status], "data": None}
