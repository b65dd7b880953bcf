"""Times as sentences name them."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def clock_text(at: datetime) -> str:
    """A time of today as a clock, any other with its day."""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    return date_format(local, "H:i" if today else "j M, H:i")
