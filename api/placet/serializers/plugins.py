"""Plugins: cards of the operator's own making (Placet contract 8.1)."""

from typing import Any

from msgspec import UNSET, UnsetType

from api.placet.serializers.base import WireStruct


class PluginOut(WireStruct):
    """A manifest. `inputSchema` is a JSON Schema of what the card takes.

    What else the author wrote comes along; of a secret in `env`, not its default.
    """

    name: str
    display_name: str
    version: str
    description: str | UnsetType = UNSET
    author: str | UnsetType = UNSET
    icon: str | UnsetType = UNSET
    input_schema: dict[str, Any] | UnsetType = UNSET
    permissions: dict[str, Any] | UnsetType = UNSET
    env: list[dict[str, Any]] | UnsetType = UNSET
