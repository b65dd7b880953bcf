"""Times as sentences name them."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext


def clock_text(at: datetime, *, seconds: bool = False) -> str:
    """A time of today as a clock, any other with its day."""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    clock = "H:i:s" if seconds else "H:i"
    return date_format(local, clock if today else f"{day_format()}, {clock}")


def day_text(day: date) -> str:
    """A day of this year without its year."""
    this_year = day.year == timezone.localdate().year
    return date_format(day, day_format() if this_year else pgettext("date format", "j M Y"))


def day_format() -> str:
    """As https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date has it."""
    return pgettext("date format", "j M")
