"""What people type outside of reviews."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST_MESSAGE = 20_000


class PlainText(forms.CharField):
    """Text with line ends as everybody but a browser's form writes them."""

    def to_python(self, value: Any) -> str:
        return super().to_python((value or "").replace("\r\n", "\n")) or ""


class MessageForm(forms.Form):
    text = PlainText(
        max_length=LONGEST_MESSAGE, error_messages={"required": _("Write something first.")}
    )
