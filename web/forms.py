"""What people type outside of reviews."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST_MESSAGE = 20_000


class PlainText(forms.CharField):
    """Text with line ends as everybody but a browser's form writes them."""

    def to_python(self, value: Any) -> str:
        return super().to_python((value or "").replace("\r\n", "\n")) or ""


class MessageForm(forms.Form):
    """A message to an agent. `client_id` names one rendering: sent twice, it is one message."""

    client_id = forms.CharField(max_length=64, required=False)
    text = PlainText(
        max_length=LONGEST_MESSAGE, error_messages={"required": _("Write something first.")}
    )

    @property
    def fresh_client_id(self) -> str:
        return uuid.uuid4().hex
