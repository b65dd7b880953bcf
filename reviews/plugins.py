"""Plugins: cards of the operator's own making. The registry that names them; none come along."""

from collections.abc import Mapping
from typing import Any

from inbox.errors import DomainError

type Manifest = Mapping[str, Any]

_installed: dict[str, Manifest] = {}


class PluginNotFoundError(DomainError):
    """No plugin of that name is installed."""

    code = "plugin_not_found"


def installed_plugins() -> Mapping[str, Manifest]:
    """Manifests (Placet contract 8.1) by name."""
    return _installed


def find_plugin(name: str) -> Manifest:
    """Raises: PluginNotFoundError."""
    if name not in _installed:
        raise PluginNotFoundError(f'Plugin "{name}" not found')
    return _installed[name]
