"""What people type outside of reviews."""

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.attempts import count_own_password, forget_own_password
from accounts.models import User

LONGEST_MESSAGE = 20_000


class PlainText(forms.CharField):
    """Text with line ends as everybody but a browser's form writes them."""

    def to_python(self, value: Any) -> str:
        return super().to_python((value or "").replace("\r\n", "\n")) or ""


class MessageForm(forms.Form):
    """A message to an agent. `client_id` names one rendering: sent twice, it is one message.

    Files stand for words: beside them the text may be empty.
    """

    client_id = forms.CharField(max_length=64, required=False)
    reply_to = forms.UUIDField(required=False)
    text = PlainText(max_length=LONGEST_MESSAGE, required=False)

    def __init__(self, *args: Any, has_files: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_files = has_files

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not text and not self.has_files:
            raise forms.ValidationError(_("Write something first."))
        return text

    @property
    def fresh_client_id(self) -> str:
        return uuid.uuid4().hex


def _input(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "in"} | attributes)


class ChannelForm(forms.Form):
    """A new channel. Limits are those of the agents' API."""

    name = forms.CharField(label=_("Name"), max_length=200, widget=_input(autocomplete="off"))
    description = forms.CharField(
        label=_("What its agent does"), max_length=10_000, required=False, widget=_input()
    )

    def clean_description(self) -> str | None:
        return self.cleaned_data["description"] or None


class HoursField(forms.TypedChoiceField):
    """One of some spans of time, as whole hours."""

    def __init__(self, choices: list[tuple[int, Any]], **kwargs: Any) -> None:
        super().__init__(choices=choices, coerce=self._span, **kwargs)

    @staticmethod
    def _span(hours: str) -> timedelta:
        return timedelta(hours=int(hours))


class ReplayForm(forms.Form):
    """How far back what failed is sent again."""

    since = HoursField(
        [
            (1, _("the last hour")),
            (24, _("the last 24 hours")),
            (7 * 24, _("the last 7 days")),
            (30 * 24, _("the last 30 days")),
        ],
        initial=24,
    )


class RotationForm(forms.Form):
    """How long the secret that is replaced still signs."""

    overlap = HoursField(
        [
            (24, _("still signs for 24 hours")),
            (1, _("still signs for an hour")),
            (7 * 24, _("still signs for 7 days")),
            (0, _("ends now: somebody else has seen it")),
        ],
        initial=24,
    )


class PasswordForm(forms.Form):
    """A person's own password, once more. Guesses are counted."""

    password = forms.CharField(
        max_length=1000, strip=False, error_messages={"required": _("Type your password.")}
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Raises: TooManyAttemptsError."""
        password: str = self.cleaned_data["password"]
        count_own_password(self.user)
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        forget_own_password(self.user)
        return password
