"""What templates about files need beyond pages."""

from typing import Any

from django import template

from attachments.models import Attachment
from web.files.contents import marked
from web.files.looks import look_of_file

register = template.Library()


@register.filter
def revealed_text(text: Any) -> str:
    """Hidden characters by their code points, as plain text: for attributes and options."""
    return marked(str(text))


@register.filter
def kind_label(file: Attachment) -> str:
    """What a file is, in a word."""
    return look_of_file(file).label
