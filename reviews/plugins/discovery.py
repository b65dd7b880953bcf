"""Which plugins there are: ours, and those of the operator's PLUGINS_DIR. Found once, at start."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from inbox.errors import DomainError

from .manifest import MANIFEST, RENDER, InvalidPluginError, Plugin, read_plugin


class PluginNotFoundError(DomainError):
    """No plugin of that name is installed."""

    code = "plugin_not_found"


def installed_plugins() -> Mapping[str, Plugin]:
    """By name.

    Raises: ImproperlyConfigured.
    """
    return _installed(tuple(settings.PLUGIN_FOLDERS))


def find_plugin(name: str) -> Plugin:
    """Raises: PluginNotFoundError."""
    found = installed_plugins().get(name)
    if found is None:
        raise PluginNotFoundError(f'Plugin "{name}" not found')
    return found


@functools.cache
def _installed(folders: tuple[Path, ...]) -> Mapping[str, Plugin]:
    found, problems = look(folders)
    if problems:
        raise ImproperlyConfigured("; ".join(problems))
    return found


def look(folders: Iterable[Path]) -> tuple[dict[str, Plugin], Sequence[str]]:
    """The plugins of some folders, and what is wrong with others. The last of a name counts."""
    found: dict[str, Plugin] = {}
    problems: list[str] = []
    for folder in folders:
        for candidate in _candidates(folder, problems):
            try:
                plugin = read_plugin(candidate)
            except InvalidPluginError as problem:
                problems.append(str(problem))
            else:
                found[plugin.name] = plugin
    return dict(sorted(found.items())), problems


def _candidates(folder: Path, problems: list[str]) -> Iterator[Path]:
    """Directories that mean to be plugins; others may lie beside them."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        problems.append(f"{folder}: cannot be read: {error.strerror}")
        return
    for entry in entries:
        if entry.name.startswith((".", "_")) or not entry.is_dir():
            continue
        if (entry / MANIFEST).exists() or (entry / RENDER).exists():
            yield entry
