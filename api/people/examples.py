"""What each of people's operations takes and gives, as the OpenAPI document shows it."""

from typing import Any

from api.placet.examples import ERROR_TEXTS, NOW

PERSON_ID = "019a9c3e-1f0a-7b6d-8a41-5d2c7e90ab34"

PERSON = {
    "id": PERSON_ID,
    "email": "ada@example.org",
    "displayName": "Ada",
    "role": "owner",
}
SIGNED_IN = {"user": PERSON | {"mustChangePassword": False}}

BODIES: dict[str, Any] = {
    "signIn": {"email": "ada@example.org", "password": "correct horse battery"},
    "changePassword": {
        "currentPassword": "correct horse battery",
        "newPassword": "staple and a battery",
    },
}
ANSWERS: dict[str, Any] = {
    "signIn": SIGNED_IN,
    "renewSession": {"user": PERSON},
    "getMe": SIGNED_IN,
    "changePassword": {"message": "Password changed successfully"},
    "signOut": {"message": "Logged out"},
    "createSocketTicket": {"token": "eyJ1c2VyIjoi…:1vM0Zk:Y3JlZA", "expiresIn": 60},
}

OWN_TEXTS: dict[int, tuple[str, str, str, list[str]]] = {
    401: ("Unauthorized", "authentication_failed", "Unauthorized", []),
    403: ("Owner access required", "permission_denied", "Owner access required", []),
    409: (
        "Email already in use",
        "already_member",
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
