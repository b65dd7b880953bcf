"""Plugins: cards of somebody's own making, each a directory with `plugin.json` and `render.html`.

`manifest` reads and judges a directory; `discovery` finds them at start; `choosing` says which
message is shown by which; `configuration` keeps a workspace's values and switches; `calling` makes
the calls that a plugin asks for, with the secrets that it never sees; `skeleton` writes a new one.
docs/plugins.md is for their authors.
"""

from .discovery import PluginNotFoundError, find_plugin, installed_plugins
from .manifest import Plugin, Variable

__all__ = ["Plugin", "PluginNotFoundError", "Variable", "find_plugin", "installed_plugins"]
