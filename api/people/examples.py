"""What each of people's operations takes and gives, as the OpenAPI document shows it."""

from typing import Any

from api.placet.examples import (
    AGENT,
    AGENT_ID,
    COMPLETED,
    ERROR_TEXTS,
    FILE,
    FILE_ID,
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
SHARE_TOKEN = "019a9c421c7a7d02bb6e0a4f9d35c8e4.1vM0Zk.Y3JlZA-oM6f_7hQ2k"  # noqa: S105  # none
FORM = {"channelId": AGENT_ID, "file": "Notes on version 4.2."}
AVATAR = f"https://licet.example.org/api/agents/{AGENT_ID}/avatar?v=9f86d081884c7d65"
PICTURED = AGENT | {"avatarUrl": AVATAR}
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
LOG_ID = "019a9c40-2b7e-7a10-9c55-3f1e8d7b6a42"
LOG = {
    "id": LOG_ID,
    "apiKeyId": KEY_ID,
    "userId": PERSON_ID,
    "method": "POST",
    "path": "/api/v1/messages",
    "requestBody": {
        "channelId": AGENT_ID,
        "text": "Ship it?",
        "webhookUrl": "https://agent.example/hook?***",
    },
    "responseBody": {"id": MESSAGE_ID, "channelId": AGENT_ID, "text": "Ship it?"},
    "statusCode": 201,
    "durationMs": 9,
    "direction": "inbound",
    "createdAt": NOW,
}
ATTEMPT = LOG | {
    "id": "019a9c40-2b7e-8200-8000-00000000002a",
    "apiKeyId": None,
    "userId": None,
    "path": "https://agent.example/hook?…",
    "requestBody": {"event": "review:responded", "message_id": MESSAGE_ID},
    "responseBody": None,
    "statusCode": 0,
    "durationMs": 15000,
    "direction": "outbound",
}
ENDPOINT = "https://push.example.org/send/fR7bT2xQ"
PUSH_POINT = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)

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
    "setAvatar": {"file": "(a picture)"},
    "uploadFileAsPerson": FORM | {"text": "Please read this first."},
    "storeFileAsPerson": FORM,
    "downloadFiles": {"ids": [FILE_ID]},
    "deleteFiles": {"ids": [FILE_ID]},
    "answerReview": {"response": {"selectedOption": "approve", "comment": "go"}},
    "subscribePush": {
        "endpoint": ENDPOINT,
        "keys": {"p256dh": PUSH_POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
    },
    "unsubscribePush": {"endpoint": ENDPOINT},
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
    "listFilesAsPerson": {
        "data": [
            FILE | {"messageId": MESSAGE_ID, "message": {"channelId": AGENT_ID, "createdAt": NOW}}
        ],
        "nextCursor": None,
    },
    "uploadFileAsPerson": FILE | {"messageId": MESSAGE_ID},
    "storeFileAsPerson": FILE,
    "deleteFile": {"message": "Deleted"},
    "deleteFiles": {"message": "Deleted 1 file(s)"},
    "setAvatar": PICTURED,
    "deleteAvatar": AGENT,
    "getFigures": {
        "totalAgents": 3,
        "activeAgents": 2,
        "totalMessages": 1280,
        "successRequests": 5012,
        "errorRequests": 7,
    },
    "getAgentFigures": {
        "totalMessages": 412,
        "totalInbound": 398,
        "totalOutbound": 14,
        "successRequests": 391,
        "errorRequests": 2,
        "statusHistory": [
            {
                "id": "17",
                "agentId": AGENT_ID,
                "status": "active",
                "message": "deploying",
                "createdAt": NOW,
            }
        ],
    },
    "shareFile": {
        "url": f"https://licet.example.org/api/share/{SHARE_TOKEN}",
        "expiresIn": 3600,
    },
    "listLogs": {"data": [ATTEMPT, LOG], "nextCursor": None},
    "getLog": LOG,
    "getPushKey": {"publicKey": PUSH_POINT},
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
