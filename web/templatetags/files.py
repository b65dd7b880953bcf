"""What templates about files need beyond pages."""

from typing import Any

from django import template

from web.file_contents import marked

register = template.Library()


@register.filter
def revealed_text(text: Any) -> str:
    """Hidden characters by their code points, as plain text: for attributes and options."""
    return marked(str(text))
