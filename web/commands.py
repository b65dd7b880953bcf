"""The commands that an agent offers in its conversation, read defensively."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inbox.models import Channel

MOST = 200


@dataclass(frozen=True)
class Command:
    """`typed` is what the composer inserts: the command with its slash, and room for arguments."""

    name: str
    typed: str
    hint: str
    description: str


def commands_of(channel: Channel) -> Sequence[Command]:
    given = channel.commands if isinstance(channel.commands, list) else []
    read = [_read(entry) for entry in given[:MOST] if isinstance(entry, dict)]
    return [command for command in read if command is not None]


def _read(entry: dict[str, Any]) -> Command | None:
    """None for what has no name. Agents write the name with a slash or without it."""
    name = _text(entry.get("command")).strip().lstrip("/")
    if not name:
        return None
    name = "/" + " ".join(name.split())
    takes_more = entry.get("acceptsArgs") is True
    return Command(
        name=name,
        typed=f"{name} " if takes_more else name,
        hint=_text(entry.get("argHint")) if takes_more else "",
        description=_text(entry.get("description")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
