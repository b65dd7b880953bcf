"""What a workspace set for a plugin: its values, and whether it is switched on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Workspace
from inbox.errors import DomainError
from reviews.models import PluginConfig
from reviews.plugins.discovery import installed_plugins
from reviews.plugins.manifest import Plugin

# What stands for a secret wherever values are shown; given back, it means: as it was.
KEPT = "***REDACTED***"
LONGEST_VALUE = 4096


class InvalidPluginValuesError(DomainError):
    """Values that the plugin does not take. `errors` maps a key to what is wrong."""

    code = "invalid_plugin_values"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{key}: {problem}" for key, problem in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True)
class Configured:
    """A plugin as a workspace uses it. `given` holds secrets in clear."""

    plugin: Plugin
    enabled: bool
    given: Mapping[str, str]

    @property
    def values(self) -> dict[str, str]:
        """Every variable: what was given, else its default."""
        return {each.key: self.given.get(each.key, each.default) for each in self.plugin.variables}

    @property
    def shown_values(self) -> dict[str, str]:
        """The same for whoever may change them: of a secret only that there is one."""
        return self._with_secrets_as(lambda _key: KEPT)

    @property
    def frame_env(self) -> dict[str, str]:
        """The same for a browser: a secret is a mark, which `calling` replaces on its way out."""
        return self._with_secrets_as(placeholder)

    @property
    def secrets(self) -> dict[str, str]:
        values = self.values
        return {v.key: values[v.key] for v in self.plugin.variables if v.secret and values[v.key]}

    @property
    def missing(self) -> list[str]:
        """Labels of what has to be set and is not."""
        values = self.values
        return [v.label for v in self.plugin.variables if v.required and not values[v.key].strip()]

    def _with_secrets_as(self, mark: Any) -> dict[str, str]:
        secret = self.secrets
        return {key: mark(key) if key in secret else value for key, value in self.values.items()}


def placeholder(key: str) -> str:
    return f"{{{{secret:{key}}}}}"


def configured(workspace: Workspace, plugin: Plugin) -> Configured:
    row = PluginConfig.objects.filter(
        workspace=workspace, name=plugin.name, version=plugin.version
    ).first()
    return _as_used(plugin, row)


def all_configured(workspace: Workspace) -> list[Configured]:
    """Every plugin that is installed, in one statement."""
    rows = {(row.name, row.version): row for row in _rows(workspace)}
    return [
        _as_used(plugin, rows.get((plugin.name, plugin.version)))
        for plugin in installed_plugins().values()
    ]


def switched_off(workspace: Workspace) -> set[str]:
    """The names of plugins that this workspace does not want to see."""
    off = PluginConfig.objects.filter(workspace=workspace, enabled=False)
    pairs = set(off.values_list("name", "version"))
    return {p.name for p in installed_plugins().values() if (p.name, p.version) in pairs}


def _rows(workspace: Workspace) -> list[PluginConfig]:
    return list(PluginConfig.objects.filter(workspace=workspace))


def _as_used(plugin: Plugin, row: PluginConfig | None) -> Configured:
    return Configured(plugin, row is None or row.enabled, {} if row is None else row.values)


def configure(
    workspace: Workspace,
    plugin: Plugin,
    *,
    values: Mapping[str, str],
    enabled: bool | None,
    now: datetime,
) -> Configured:
    """Replace all values, and switch on or off; None leaves the switch as it is.

    A secret given as KEPT stays. What is left out gets its default again.

    Raises: InvalidPluginValuesError.
    """
    before = configured(workspace, plugin)
    given = _kept(before, values)
    after = Configured(plugin, before.enabled if enabled is None else enabled, given)
    _refuse(after, values)
    stored = {
        "enabled": after.enabled,
        "values_json": json.dumps(given) if given else None,
        "updated_at": now,
    }
    PluginConfig.objects.update_or_create(
        workspace=workspace, name=plugin.name, version=plugin.version, defaults=stored
    )
    return after


def _kept(before: Configured, values: Mapping[str, str]) -> dict[str, str]:
    secret = before.secrets
    given: dict[str, str] = {}
    for key, value in values.items():
        variable = before.plugin.variable(key)
        if value == KEPT and variable is not None and variable.secret:
            if key in before.given:
                given[key] = secret.get(key, before.given[key])
        else:
            given[key] = value
    return given


def _refuse(after: Configured, values: Mapping[str, str]) -> None:
    """Raises: InvalidPluginValuesError."""
    errors: dict[str, str] = {}
    for key in sorted(set(values)):
        if after.plugin.variable(key) is None:
            errors[key] = _("The plugin has no such value.")
        elif len(values[key]) > LONGEST_VALUE:
            limit = {"limit": LONGEST_VALUE}
            errors[key] = _("Write at most %(limit)d characters.") % limit
        elif "\0" in values[key]:
            errors[key] = _("This text holds a character that is not text.")
    if not errors and after.enabled:
        effective = after.values
        errors = {
            each.key: _("Fill in this field.")
            for each in after.plugin.variables
            if each.required and not effective[each.key].strip()
        }
    if errors:
        raise InvalidPluginValuesError(errors)
