"""The picture of a plugin."""

from dataclasses import dataclass

from reviews.plugins.manifest import ICON_TYPES, Plugin


@dataclass(frozen=True)
class Icon:
    content: bytes
    media_type: str


def read_icon(plugin: Plugin) -> Icon | None:
    """None for a plugin that has no file for it."""
    if plugin.icon is None:
        return None
    try:
        content = plugin.icon.read_bytes()
    except OSError:  # taken away since the start
        return None
    return Icon(content, ICON_TYPES[plugin.icon.suffix.lower()])
