"""Which plugin shows a message, and with what (Placet contract 8.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.models import Workspace
from inbox.models import Message
from reviews.models import ReviewRequest
from reviews.plugins.configuration import switched_off
from reviews.plugins.discovery import installed_plugins
from reviews.plugins.manifest import Plugin

# What the server put into the metadata, or reads there; not the plugin's.
NOT_DATA = frozenset({"plugin", "webhookUrl"})


@dataclass(frozen=True)
class Chosen:
    """A plugin for one message, with its data."""

    plugin: Plugin
    message: Message
    data: Mapping[str, Any]


@dataclass
class Chooser:
    """Chooses for the messages of one page; asks once which plugins are switched off, if at all."""

    workspace: Workspace
    _off: set[str] | None = field(default=None, init=False)

    def choose(self, message: Message, review: ReviewRequest | None) -> Chosen | None:
        """The plugin of a message, if it is installed and switched on.

        1. `metadata.plugin` names it; its data are the other metadata, or, where the review is
           freeform and names it as well, the review's payload.
        2. The type of the review is its name; its data are the payload.
        """
        found = _named(message, review)
        return None if found is None or found.plugin.name in self._switched_off() else found

    def _switched_off(self) -> set[str]:
        if self._off is None:
            self._off = switched_off(self.workspace)
        return self._off


def _named(message: Message, review: ReviewRequest | None) -> Chosen | None:
    installed = installed_plugins()
    metadata = message.metadata if isinstance(message.metadata, Mapping) else {}
    payload = review.payload if review is not None else None
    payload = payload if isinstance(payload, Mapping) else {}
    name = metadata.get("plugin")
    plugin = installed.get(name) if isinstance(name, str) else None
    if plugin is not None:
        in_payload = (
            review is not None
            and review.kind in {"freeform", plugin.name}
            and (payload.get("plugin") == plugin.name or review.kind == plugin.name)
        )
        others = {key: value for key, value in metadata.items() if key not in NOT_DATA}
        return Chosen(plugin, message, payload if in_payload else others)
    plugin = installed.get(review.kind) if review is not None else None
    return None if plugin is None else Chosen(plugin, message, payload)
