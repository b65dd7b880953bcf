"""What each of people's operations takes and gives, as the OpenAPI document shows it."""

from typing import Any

from api.placet.examples import (
    AGENT,
    AGENT_ID,
    COMPLETED,
    ERROR_TEXTS,
    MESSAGE,
    MESSAGE_ID,
    NOW,
    PLUGIN,
)

PERSON_ID = "019a9c3e-1f0a-7b6d-8a41-5d2c7e90ab34"

PERSON = {
    "id": PERSON_ID,
    "email": "ada@example.org",
    "displayName": "Ada",
    "role": "owner",
}
SIGNED_IN = {"user": PERSON | {"mustChangePassword": False}}

USER = PERSON | {"mustChangePassword": False, "createdAt": NOW}
KEY_ID = "019a9c3e-9d41-7e0c-b1f8-6a5f3d2e8c17"
KEY = {
    "id": KEY_ID,
    "userId": PERSON_ID,
    "label": "Release bot",
    "keyPrefix": "hp_4Zr8Qw1x",
    "lastUsedAt": None,
    "createdAt": NOW,
}
CLEAR_KEY = KEY | {"key": "hp_4Zr8Qw1xT6uYb3Nc9VmK2sLd7FhJ0gPaEo5R"}
PREFERENCES = {
    "userId": PERSON_ID,
    "theme": "dark",
    "managementDashboard": False,
    "updatedAt": NOW,
}
WEBHOOK = {"webhookUrl", "webhookHeaders", "webhookAuth"}
OWN_MESSAGE = MESSAGE | {
    "senderType": "user",
    "senderId": PERSON_ID,
    "text": "Please hurry.",
    "review": None,
    "clientId": "page-17",
}
ANSWERED = MESSAGE | {
    "review": COMPLETED,
    "agent": {name: value for name, value in AGENT.items() if name not in WEBHOOK},
}

BODIES: dict[str, Any] = {
    "signIn": {"email": "ada@example.org", "password": "correct horse battery"},
    "changePassword": {
        "currentPassword": "correct horse battery",
        "newPassword": "staple and a battery",
    },
    "createUser": {
        "email": "grace@example.org",
        "displayName": "Grace",
        "password": "a first password",
        "role": "reviewer",
    },
    "updateUser": {"role": "admin"},
    "createKey": {"label": "Release bot"},
    "updatePreferences": {"theme": "dark"},
    "createAgentAsPerson": {"name": "Release bot", "tag": "ops"},
    "updateAgentAsPerson": {"description": "Ships the web shop.", "tag": None},
    "writeToAgent": {"channelId": AGENT_ID, "text": "Please hurry.", "clientId": "page-17"},
    "answerReview": {"response": {"selectedOption": "approve", "comment": "go"}},
    "setPluginConfig": {"envValues": {}, "enabled": True},
    "fetchForPlugin": {
        "url": "https://ci.example.org/builds/418",
        "headers": {"Authorization": "Bearer {{secret:CI_TOKEN}}"},
    },
}
ANSWERS: dict[str, Any] = {
    "signIn": SIGNED_IN,
    "renewSession": {"user": PERSON},
    "getMe": SIGNED_IN,
    "changePassword": {"message": "Password changed successfully"},
    "signOut": {"message": "Logged out"},
    "createSocketTicket": {"token": "eyJ1c2VyIjoi…:1vM0Zk:Y3JlZA", "expiresIn": 60},
    "listUsers": [USER],
    "createUser": USER | {"role": "reviewer", "mustChangePassword": True},
    "updateUser": USER | {"role": "admin"},
    "deleteUser": {"deleted": True},
    "listKeys": [KEY],
    "createKey": CLEAR_KEY,
    "rotateKey": CLEAR_KEY,
    "deleteKey": {"deleted": True},
    "getPreferences": PREFERENCES,
    "updatePreferences": PREFERENCES,
    "listAgentsAsPerson": [
        AGENT | {"unreadCount": 2, "lastMessage": "Ship it?", "lastMessageTime": NOW}
    ],
    "createAgentAsPerson": AGENT,
    "updateAgentAsPerson": AGENT,
    "deleteAgentAsPerson": {"deleted": True},
    "listMessagesAsPerson": {"data": [MESSAGE | {"statusEvents": []}], "nextCursor": None},
    "writeToAgent": OWN_MESSAGE,
    "listReviews": [MESSAGE],
    "getMessageAsPerson": ANSWERED,
    "listIterationsAsPerson": {"groupId": MESSAGE_ID, "iterations": [MESSAGE]},
    "answerReview": ANSWERED,
    "sendAgain": {"retried": True},
    "listPluginsAsPerson": [PLUGIN],
    "getPluginAsPerson": PLUGIN,
    "renderPlugin": {"html": "<main>…</main>", "env": {"CI_TOKEN": "{{secret:CI_TOKEN}}"}},
    "getPluginConfig": {
        "envValues": {"CI_TOKEN": "***REDACTED***"},
        "enabled": True,
        "envSchema": [
            {
                "key": "CI_TOKEN",
                "label": "Token of the build server",
                "required": True,
                "default": "",
                "secret": True,
                "description": "",
            }
        ],
    },
    "setPluginConfig": {"envValues": {"CI_TOKEN": "***REDACTED***"}, "enabled": True},
    "fetchForPlugin": {
        "ok": True,
        "status": 200,
        "statusText": "OK",
        "headers": {"content-type": "application/json"},
        "body": '{"state": "passed"}',
    },
}

OWN_TEXTS: dict[int, tuple[str, str, str, list[str]]] = {
    401: ("Unauthorized", "authentication_failed", "Unauthorized", []),
    403: ("Owner access required", "permission_denied", "Owner access required", []),
    409: (
        "Email already in use",
        "email_in_use",
        "Email already in use",
        [],
    ),
}


def error_example(status: int) -> dict[str, Any]:
    """The envelope as this status fills it."""
    message, code, text, path = (ERROR_TEXTS | OWN_TEXTS)[status]
    return {
        "statusCode": status,
        "message": message,
        "errors": [{"code": code, "message": text, "path": path}] if code else [],
        "timestamp": NOW,
        "path": "/api/users",
    }
