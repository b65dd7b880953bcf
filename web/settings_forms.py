"""What people choose and type on the settings pages."""

import uuid
import zoneinfo
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AfterAnswer, Density, Membership, Role, Theme, User
from web.forms import HoursField, PasswordForm
from web.shortcuts import SHORTCUTS, normal_key, problems_of

LONGEST_PASSWORD = 1000
CLASSES: dict[type, str] = {forms.Select: "sel", forms.Textarea: "ta"}
UNDRESSED = (forms.CheckboxInput, forms.RadioSelect, forms.HiddenInput)


class PageForm(forms.Form):
    """A form that dresses its controls as the pages do, and sums up what is wrong."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, UNDRESSED):
                field.widget.attrs.setdefault("class", CLASSES.get(type(field.widget), "in"))

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The id of each control with a problem, and the problem."""
        return [
            (bound.auto_id, f"{bound.label}: {text}")
            for bound in self
            for text in self.errors.get(bound.name, [])
        ] + [("", str(text)) for text in self.non_field_errors()]


def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """The zones that are named after places, by continent, and UTC."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        region, slash, place = name.partition("/")
        if slash and region not in {"Etc", "SystemV", "US", "posix", "right"}:
            regions.setdefault(region, []).append((name, place.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *regions.items()]


class ProfileForm(PageForm):
    display_name = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What others see. Without a name they see your e-mail address."),
    )
    language = forms.ChoiceField(required=False, label=gettext_lazy("Language"))
    time_zone = forms.ChoiceField(required=False, label=gettext_lazy("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["display_name"].widget.attrs["autocomplete"] = "name"
        server = _("As the server: %(zone)s") % {"zone": settings.TIME_ZONE}
        self._choices("language", [("", _("As the browser asks for")), *settings.LANGUAGES])
        self._choices("time_zone", [("", server), *time_zones()])

    def _choices(self, name: str, choices: Iterable[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for the type checker
        field.choices = list(choices)


PASSWORD_RULES = gettext_lazy(
    "At least 8 characters, none that everybody uses, and not like your name or e-mail address."
)


def _checked_password(password: str, user: User) -> str:
    if "\0" in password:
        raise forms.ValidationError(_("This text holds a character that is not text."))
    validate_password(password, user)
    return password


class NewPasswordField(forms.CharField):
    """A password that is being set."""

    def __init__(self, **kwargs: Any) -> None:
        hand = {"autocomplete": "new-password"}
        super().__init__(
            max_length=LONGEST_PASSWORD,
            strip=False,
            widget=forms.PasswordInput(attrs=hand),
            **kwargs,
        )


class ChangePasswordForm(PageForm, PasswordForm):
    """The old password first, so that an unlocked screen is not enough to take an account."""

    field_order = ["password", "new", "again"]

    new = NewPasswordField(
        label=gettext_lazy("New password"),
        help_text=PASSWORD_RULES,
    )
    again = NewPasswordField(label=gettext_lazy("New password again"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Old password")
        self.fields["password"].widget = forms.PasswordInput(
            attrs={"autocomplete": "current-password", "class": "in"}
        )

    def clean_new(self) -> str:
        return _checked_password(self.cleaned_data["new"], self.user)

    def clean(self) -> dict[str, Any]:
        new, again = self.cleaned_data.get("new"), self.cleaned_data.get("again")
        if new and again and new != again:
            self.add_error("again", _("The two are different."))
        return self.cleaned_data


class AppearanceForm(PageForm):
    theme = forms.ChoiceField(
        choices=Theme.choices, widget=forms.RadioSelect, label=gettext_lazy("Theme")
    )
    density = forms.ChoiceField(
        choices=Density.choices, widget=forms.RadioSelect, label=gettext_lazy("Lists")
    )
    after_answer = forms.ChoiceField(
        choices=AfterAnswer.choices,
        widget=forms.RadioSelect,
        label=gettext_lazy("After an answer"),
    )


class ShortcutsForm(PageForm):
    """A field for each key that can be changed; empty means ours."""

    single_keys = forms.BooleanField(
        required=False,
        label=gettext_lazy("Keys without Ctrl or Cmd"),
        help_text=gettext_lazy(
            "Switch them off if you dictate, or press keys by accident. Ctrl and Cmd keys stay."
        ),
    )
    enter_sends = forms.BooleanField(
        required=False,
        label=gettext_lazy("Enter sends a message"),
        help_text=gettext_lazy(
            "Shift and Enter then begin a new line. Ctrl or Cmd+Enter always sends."
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        chosen = {f"key-{name}": key for name, key in user.own_keys.items()}
        super().__init__(*args, initial=chosen | kwargs.pop("initial", {}), **kwargs)
        for shortcut in SHORTCUTS:
            if shortcut.changeable:
                self.fields[f"key-{shortcut.name}"] = _key_field(shortcut.label, shortcut.keys)

    def bound_key(self, name: str) -> BoundField:
        return self[f"key-{name}"]

    def clean(self) -> dict[str, Any]:
        typed = {
            name.removeprefix("key-"): normal_key(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("key-")
        }
        own = {name: key for name, key in typed.items() if key}
        for name, problem in problems_of(own).items():
            self.add_error(f"key-{name}", problem)
        ours = {shortcut.name: shortcut.keys for shortcut in SHORTCUTS}
        kept = {name: key for name, key in own.items() if key != ours[name]}
        return self.cleaned_data | {"own_keys": kept}


def _key_field(label: Any, default: str) -> forms.CharField:
    hand = {
        "class": "in key-in",
        "placeholder": default,
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
    }
    return forms.CharField(
        max_length=8, required=False, label=label, widget=forms.TextInput(attrs=hand)
    )


class DaysField(forms.TypedChoiceField):
    """One of some numbers of days, or never."""

    def __init__(self, choices: list[tuple[int, Any]], **kwargs: Any) -> None:
        super().__init__(choices=choices, coerce=self._span, empty_value=None, **kwargs)

    @staticmethod
    def _span(days: str) -> timedelta | None:
        return timedelta(days=int(days)) if int(days) else None


class NewKeyForm(PageForm):
    """`form_id` names one rendering: sent twice, it makes one key."""

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    label = forms.CharField(
        max_length=64,
        label=gettext_lazy("Label"),
        help_text=gettext_lazy("Which agent carries it, so that you know later what to revoke."),
    )
    expires = DaysField(
        [
            (0, gettext_lazy("never")),
            (7, gettext_lazy("after 7 days")),
            (30, gettext_lazy("after 30 days")),
            (90, gettext_lazy("after 90 days")),
            (365, gettext_lazy("after a year")),
        ],
        label=gettext_lazy("Expires"),
    )

    @classmethod
    def fresh(cls) -> "NewKeyForm":
        return cls(initial={"form_id": uuid.uuid4(), "expires": 0})


class KeyRotationForm(PageForm):
    overlap = HoursField(
        [
            (24, gettext_lazy("still works for 24 hours")),
            (1, gettext_lazy("still works for an hour")),
            (7 * 24, gettext_lazy("still works for 7 days")),
            (0, gettext_lazy("ends now: somebody else has seen it")),
        ],
        initial=24,
        label=gettext_lazy("The old key"),
    )


class RoleForm(PageForm):
    """A role that the person at the screen may give."""

    role = forms.ChoiceField(label=gettext_lazy("Role"))

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for the type checker
        field.choices = [(role.value, role.label) for role in by.assignable_roles]
        self.initial.setdefault("role", Role.REVIEWER.value)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class InviteForm(RoleForm):
    field_order = ["email", "role"]

    email = forms.EmailField(max_length=254, label=gettext_lazy("E-mail"))


class JoinForm(PageForm):
    """Somebody new."""

    name = forms.CharField(
        max_length=100,
        label=gettext_lazy("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = NewPasswordField(
        label=gettext_lazy("Password"),
        help_text=PASSWORD_RULES,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        new = User(email=self.email, display_name=self.cleaned_data.get("name", ""))
        return _checked_password(self.cleaned_data["password"], new)


class WorkspaceForm(PageForm):
    name = forms.CharField(max_length=100, label=gettext_lazy("Name"))
