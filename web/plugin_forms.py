"""The values and the switch of a plugin, as a form."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from reviews.plugins import Variable
from reviews.plugins.configuration import KEPT, LONGEST_VALUE, Configured
from web.settings_forms import PageForm

VALUE, FORGET = "value-", "forget-"


class PluginForm(PageForm):
    """A field for each variable. A secret is never shown: an empty field keeps it."""

    def __init__(self, *args: Any, used: Configured, **kwargs: Any) -> None:
        self.used = used
        super().__init__(*args, **kwargs)
        self.fields["enabled"] = forms.BooleanField(
            required=False, initial=used.enabled, label=_("Show it in this workspace")
        )
        for variable in used.plugin.variables:
            self._add(variable)

    def _add(self, variable: Variable) -> None:
        is_set = variable.key in self.used.secrets
        self.fields[VALUE + variable.key] = forms.CharField(
            required=variable.required and not is_set,
            max_length=LONGEST_VALUE,
            label=variable.label,
            help_text=_help(variable, is_set=is_set),
            initial="" if variable.secret else self.used.values[variable.key],
            widget=_widget(variable),
        )
        if is_set and not variable.required:
            label = _("Forget it: %(label)s") % {"label": variable.label}
            self.fields[FORGET + variable.key] = forms.BooleanField(required=False, label=label)

    @property
    def values(self) -> dict[str, str]:
        """What was typed, with KEPT for secrets that stay."""
        found: dict[str, str] = {}
        for variable in self.used.plugin.variables:
            typed = self.cleaned_data.get(VALUE + variable.key, "")
            keeps = variable.secret and not typed and variable.key in self.used.secrets
            if keeps and not self.cleaned_data.get(FORGET + variable.key):
                found[variable.key] = KEPT
            else:
                found[variable.key] = typed
        return found


def _help(variable: Variable, *, is_set: bool) -> str:
    """The author's words, and what becomes of a secret."""
    said = [variable.description] if variable.description else []
    if variable.secret:
        said.append(_("Kept encrypted, and put in by the server: no browser gets it."))
    if is_set:
        said.append(_("One is set. Leave this empty to keep it."))
    return " ".join(said)


def _widget(variable: Variable) -> forms.Widget:
    hand = {"class": "in", "autocomplete": "off", "spellcheck": "false"}
    return forms.PasswordInput(attrs=hand) if variable.secret else forms.TextInput(attrs=hand)
