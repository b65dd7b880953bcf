"""What a message that was written elsewhere says about its author and its room.

No platform and no bridge spells these alike, so the usual names are tried in turn.
"""

from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_NAME = 200
AUTHOR_NAMES = (
    "user_display_name",
    "author_display_name",
    "authorDisplayName",
    "displayName",
    "display_name",
    "userName",
    "user_name",
    "username",
    "senderName",
    "sender_name",
    "entityName",
    "name",
)
ROOM_NAMES = ("roomName", "room_name", "channelName", "channel_name", "chatTitle", "serverName")


def author_name(metadata: Mapping[str, Any]) -> str:
    """The author's name there; empty where none is given."""
    return _first(metadata, AUTHOR_NAMES)


def room_name(metadata: Mapping[str, Any]) -> str:
    """The room's name there; empty where none is given."""
    return _first(metadata, ROOM_NAMES)


def _first(metadata: Mapping[str, Any], names: Iterable[str]) -> str:
    values = (metadata.get(name) for name in names)
    found = (" ".join(value.split()) for value in values if isinstance(value, str))
    return next((text[:LONGEST_NAME] for text in found if text), "")
