"""What the operator is told before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from reviews.plugins.discovery import look


@register
def plugins_are_valid(**_: Any) -> list[CheckMessage]:
    """One line for each plugin that cannot be used."""
    _found, problems = look(settings.PLUGIN_FOLDERS)
    return [Error(problem, id="reviews.E001") for problem in problems]
