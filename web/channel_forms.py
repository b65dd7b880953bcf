"""What people change about a channel."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery.egress import EgressRefusedError, check_headers, check_url, origin_of
from inbox.models import Channel
from web.settings_forms import LONGEST_PASSWORD, PageForm
from web.text.hidden import without_hidden

LONGEST_URL = 2048


class ChannelForm(PageForm):
    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    description = forms.CharField(
        max_length=10_000,
        required=False,
        label=gettext_lazy("Description"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    tag = forms.CharField(
        max_length=64,
        required=False,
        label=gettext_lazy("Tag"),
        help_text=gettext_lazy("Groups channels in other clients."),
    )
    avatar_url = forms.CharField(
        max_length=LONGEST_URL,
        required=False,
        label=gettext_lazy("Address of a picture"),
        help_text=gettext_lazy("For other clients. These pages never load it."),
    )
    confirm_answers = forms.BooleanField(
        required=False,
        label=gettext_lazy("Ask once more before an answer is sent"),
    )

    @classmethod
    def of(cls, channel: Channel) -> "ChannelForm":
        names = ("name", "description", "tag", "avatar_url", "confirm_answers")
        return cls(initial={name: getattr(channel, name) for name in names})

    def clean_avatar_url(self) -> str:
        url: str = self.cleaned_data["avatar_url"]
        if url and not url.startswith(("http://", "https://")):
            raise forms.ValidationError(_("Begin with http:// or https://."))
        return url

    @property
    def changes(self) -> dict[str, str | bool | None]:
        """What is empty is absent on the agents' wire."""
        given = self.cleaned_data
        kept = {name: given[name] for name in ("name", "confirm_answers")}
        return kept | {name: given[name] or None for name in ("description", "tag", "avatar_url")}


class WebhookForm(PageForm):
    """Where events go. Header values and password are written and never shown again."""

    url = forms.CharField(
        max_length=LONGEST_URL,
        required=False,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("http or https. Empty: no webhook."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    headers = forms.CharField(
        max_length=10_000,
        required=False,
        label=gettext_lazy("New headers"),
        help_text=gettext_lazy("One a line, as Name: value. They replace all that are set."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    forget_headers = forms.BooleanField(required=False, label=gettext_lazy("Remove all headers"))
    username = forms.CharField(
        max_length=255,
        required=False,
        label=gettext_lazy("User name"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    password = forms.CharField(
        max_length=LONGEST_PASSWORD,
        required=False,
        strip=False,
        label=gettext_lazy("New password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_password = forms.BooleanField(
        required=False, label=gettext_lazy("Remove user name and password")
    )

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        shown = {"url": channel.webhook_url, "username": channel.webhook_username}
        super().__init__(*args, initial=shown, **kwargs)
        self.channel = channel

    @property
    def header_names(self) -> list[str]:
        return list(self.channel.webhook_headers or {})

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if url and url != self.channel.webhook_url:
            _require_safe(url)
        return url

    def clean_headers(self) -> dict[str, str]:
        headers = _read_headers(self.cleaned_data["headers"])
        try:
            check_headers(headers)
        except EgressRefusedError as refused:
            raise forms.ValidationError(str(refused)) from None
        return headers

    def clean(self) -> dict[str, Any]:
        """Secrets never follow an address to another receiver by themselves."""
        if self._leads_elsewhere():
            for name, present, problem in self._left_behind():
                if present and not self._settled(name):
                    self.add_error(name, problem)
        return self.cleaned_data

    def _leads_elsewhere(self) -> bool:
        url, before = self.cleaned_data.get("url"), self.channel.webhook_url
        return bool(url) and origin_of(url or "") != (origin_of(before) if before else "")

    def _left_behind(self) -> list[tuple[str, bool, str]]:
        elsewhere = _("The address leads to another receiver: type them again, or remove them.")
        login = _("The address leads to another receiver: type it again, or remove it.")
        return [
            ("headers", bool(self.channel.webhook_headers), elsewhere),
            ("password", self.channel.webhook_password is not None, login),
        ]

    def _settled(self, name: str) -> bool:
        return bool(self.cleaned_data.get(name) or self.cleaned_data.get(f"forget_{name}"))

    @property
    def parts(self) -> dict[str, Any]:
        """What changes, in the words of `inbox`; what is not named stays."""
        given = self.cleaned_data
        parts: dict[str, Any] = {"url": given["url"]}
        if given["forget_headers"]:
            parts["headers"] = None
        elif given["headers"]:
            parts["headers"] = given["headers"]
        if given["forget_password"]:
            return parts | {"username": None, "password": None}
        if given["password"]:
            parts["password"] = given["password"]
        return parts | {"username": given["username"] or None}


def _require_safe(url: str) -> None:
    """Which rule refused it stays unsaid, as on the agents' wire."""
    try:
        check_url(url)
    except EgressRefusedError:
        raise forms.ValidationError(
            _(
                "This server may not call this address: it must be http or https and public, or "
                "named by the operator in EGRESS_ALLOW."
            )
        ) from None


def _read_headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon:
            raise forms.ValidationError(_("Write each header as Name: value."))
        headers[name.strip()] = value.strip()
    return headers


class DeleteChannelForm(PageForm):
    """The name typed by hand, so that nobody deletes the wrong channel."""

    name = forms.CharField(
        max_length=200,
        label=gettext_lazy("Name of the channel"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = without_hidden(channel.name) or str(channel.pk)

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if without_hidden(typed) != self.expected:
            raise forms.ValidationError(_("This is not the name of the channel."))
        return typed
