"""What each operation takes and gives, as the OpenAPI document shows it. A test sends them all."""

from typing import Any

AGENT_ID = "019a9c3e-5d10-7c8e-9b52-3f6a1c0d7e21"
PARENT_ID = "019a9c3e-5d10-7aa1-8c4f-90b1f2a63d55"
MESSAGE_ID = "019a9c41-08b4-7f36-a1d9-52c4e8f70b13"
FILE_ID = "019a9c42-1c7a-7d02-bb6e-0a4f9d35c8e4"
THREAD_ID = "019a9c44-2b61-7d3e-8f05-c2a94e7710bd"
STEP_ID = "019a9c43-77e0-70c5-9f12-6be08d1a2c97"
NOW = "2026-04-01T14:30:00.000Z"
LATER = "2026-04-01T14:32:00.000Z"
TOMORROW = "2026-04-02T14:30:00.000Z"

AGENT: dict[str, Any] = {
    "id": AGENT_ID,
    "name": "Release bot",
    "description": "Ships the web shop.",
    "avatarUrl": None,
    "webhookUrl": "https://agent.example.com/hook",
    "webhookHeaders": {"authorization": "***"},
    "webhookAuth": None,
    "status": "active",
    "statusMessage": "deploying",
    "statusSince": NOW,
    "lastActiveAt": LATER,
    "commands": [{"command": "deploy", "description": "Ship a version", "acceptsArgs": True}],
    "tag": "ops",
    "managementUrl": None,
    "managementApiKey": None,
    "isSubagent": False,
    "parentAgentId": None,
    "createdAt": NOW,
}

PAYLOAD = {
    "options": [
        {"id": "approve", "label": "Ship it", "style": "primary"},
        {"id": "reject", "label": "Not yet", "style": "danger"},
    ],
    "allowComment": True,
}
PENDING = {"type": "approval", "status": "pending", "expiresAt": TOMORROW, "payload": PAYLOAD}
COMPLETED = PENDING | {
    "status": "completed",
    "response": {"selectedOption": "approve", "comment": "go"},
    "completedAt": LATER,
}

FILE: dict[str, Any] = {
    "id": FILE_ID,
    "messageId": None,
    "channelId": AGENT_ID,
    "pluginType": "@uax/file",
    "filename": "notes.md",
    "mimeType": "text/markdown",
    "size": 21,
    "storageKey": "northwind/2026/04/b5v0k2",
    "pluginData": None,
    "createdAt": NOW,
}

MESSAGE: dict[str, Any] = {
    "id": MESSAGE_ID,
    "channelId": AGENT_ID,
    "senderType": "agent",
    "senderId": AGENT_ID,
    "text": "Version 4.2 is ready.",
    "status": "info",
    "review": PENDING,
    "metadata": {"build": 1812},
    "clientId": "release-4.2",
    "streamId": None,
    "streamState": None,
    "deliveryStatus": "sent",
    "iterationGroupId": None,
    "iteration": None,
    "createdAt": NOW,
    "updatedAt": NOW,
    "attachments": [],
}
DECIDED = MESSAGE | {"review": COMPLETED, "updatedAt": LATER}
STEP: dict[str, Any] = {
    "id": STEP_ID,
    "channelId": AGENT_ID,
    "streamId": "reply-17",
    "index": 0,
    "text": "Reading the log",
    "toolHint": True,
    "createdAt": NOW,
}
DRAFT = MESSAGE | {
    "text": "The log shows three",
    "status": None,
    "review": None,
    "metadata": None,
    "clientId": None,
    "streamId": "reply-17",
    "streamState": "streaming",
}

WORKSPACE_ID = "019a9c3e-5d0e-7b14-a6c8-d25e9f0b4713"
KEY_ID = "019a9c3e-5d11-7e92-84d0-17c3b9a65f20"
PUBLIC_KEY = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SECRETS: dict[str, Any] = {
    "secrets": [
        {
            "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDNvRqJkC2Hcs=",
            "createdAt": LATER,
            "expiresAt": None,
        },
        {
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
            "createdAt": NOW,
            "expiresAt": TOMORROW,
        },
    ],
    "publicKey": PUBLIC_KEY,
    "keysUrl": f"https://licet.example.com/.well-known/webhook-keys?workspace={WORKSPACE_ID}",
}

EVENT: dict[str, Any] = {
    "id": "msg_01k6e3wggp65s9n5r3v59x3f8k",
    "type": "review:responded",
    "channelId": AGENT_ID,
    "createdAt": LATER,
    "data": {
        "event": "review:responded",
        "channelId": AGENT_ID,
        "message_id": MESSAGE_ID,
        "review_type": "approval",
        "response": {"selectedOption": "approve", "comment": "go"},
        "responded_at": LATER,
    },
}

BODIES: dict[str, Any] = {
    "createAgent": {"name": "Release bot", "description": "Ships the web shop.", "tag": "ops"},
    "updateAgent": {"description": "Ships the web shop.", "tag": None},
    "setCommands": {"commands": AGENT["commands"]},
    "rotateSigningSecret": {"overlapHours": 24},
    "setWebhook": {
        "channelId": AGENT_ID,
        "url": "https://agent.example.com/hook",
        "headers": {"authorization": "Bearer your-own-secret"},
    },
    "deleteWebhook": {"channelId": AGENT_ID},
    "setTag": {"channelId": AGENT_ID, "tag": "ops"},
    "setManagement": {
        "channelId": AGENT_ID,
        "url": "https://agent.example.com/manage",
        "apiKey": "your-own-secret",
    },
    "setSubagent": {"channelId": AGENT_ID, "isSubagent": True, "parentChannelId": PARENT_ID},
    "pingStatus": {"agentId": AGENT_ID, "status": "active", "message": "deploying"},
    "postMessage": {
        "channelId": AGENT_ID,
        "text": "Version 4.2 is ready.",
        "status": "info",
        "metadata": {"build": 1812},
        "clientId": "release-4.2",
        "review": {"type": "approval", "payload": PAYLOAD, "expiresInSeconds": 86400},
    },
    "updateStream": {"channelId": AGENT_ID, "text": "The log shows three"},
    "addStatusEvent": {"channelId": AGENT_ID, "text": "Reading the log", "toolHint": True},
    "uploadFile": {"channelId": AGENT_ID, "file": "Notes on version 4.2."},
    "storeFile": {"channelId": AGENT_ID, "file": "Notes on version 4.2."},
    "storeText": {
        "channelId": AGENT_ID,
        "content": "Notes on version 4.2.",
        "filename": "notes.md",
    },
}

PLUGIN = {
    "name": "status-badge",
    "displayName": "Status badge",
    "version": "1.0.0",
    "description": "A coloured badge with a label, and details below it.",
    "author": "Licet",
    "icon": "./icon.svg",
    "inputSchema": {
        "type": "object",
        "properties": {
            "label": {"type": "string"},
            "variant": {"type": "string", "enum": ["success", "warning", "error"]},
        },
        "required": ["label", "variant"],
    },
}

ANSWERS: dict[str, Any] = {
    "listAgents": [AGENT],
    "createAgent": AGENT,
    "updateAgent": AGENT,
    "deleteAgent": {"deleted": True},
    "setCommands": AGENT,
    "listSigningSecrets": SECRETS | {"secrets": SECRETS["secrets"][:1]},
    "rotateSigningSecret": SECRETS,
    "listWebhookKeys": {
        "keys": [
            {
                "id": KEY_ID,
                "algorithm": "ed25519",
                "publicKey": PUBLIC_KEY,
                "validFrom": NOW,
                "validUntil": None,
            }
        ]
    },
    "setWebhook": AGENT,
    "deleteWebhook": AGENT | {"webhookUrl": None, "webhookHeaders": None},
    "setTag": AGENT,
    "setManagement": AGENT
    | {"managementUrl": "https://agent.example.com/manage", "managementApiKey": "***"},
    "setSubagent": AGENT | {"isSubagent": True, "parentAgentId": PARENT_ID},
    "pingStatus": AGENT,
    "postMessage": MESSAGE,
    "listMessages": {"data": [MESSAGE | {"statusEvents": []}], "nextCursor": None},
    "getMessage": DECIDED,
    "deleteMessage": {"deleted": True},
    "acknowledgeMessage": {"acknowledged": True},
    "listIterations": {"groupId": MESSAGE_ID, "iterations": [DECIDED]},
    "updateStream": DRAFT,
    "addStatusEvent": STEP,
    "listPendingReviews": [MESSAGE],
    "getReview": DECIDED,
    "waitForReview": {"status": "completed", "message": DECIDED},
    "listEvents": {"events": [EVENT], "cursor": "7-3f0c1b9a5d2e4c68", "hasMore": False},
    "uploadFile": FILE | {"messageId": MESSAGE_ID},
    "storeFile": FILE,
    "storeText": FILE,
    "listFiles": [FILE],
    "listPlugins": [PLUGIN],
    "getPlugin": PLUGIN,
}

ERROR_TEXTS = {
    400: ("Validation failed", "invalid_type", "Expected `str`, got `int`", ["text"]),
    401: ("Invalid API key", "authentication_failed", "Invalid API key", []),
    403: ("Not your agent", "channel_not_yours", "Not your agent", []),
    404: ("Message not found", "message_not_found", "Message not found", []),
    413: (
        "The body is larger than 1048576 bytes.",
        "invalid_body",
        "The body is larger than 1048576 bytes.",
        [],
    ),
    415: (
        "Send the body as application/json.",
        "invalid_body",
        "Send the body as application/json.",
        [],
    ),
    429: (
        "Too many requests. Try again in 12 s.",
        "throttled",
        "Too many requests. Try again in 12 s.",
        [],
    ),
    503: ("The database cannot be reached. Try again.", "", "", []),
}


def error_example(status: int) -> dict[str, Any]:
    """The envelope as this status fills it."""
    message, code, text, path = ERROR_TEXTS[status]
    return {
        "statusCode": status,
        "message": message,
        "errors": [{"code": code, "message": text, "path": path}] if code else [],
        "timestamp": NOW,
        "path": "/api/v1/messages",
    }
