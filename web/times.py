"""Times as sentences name them."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def clock_text(at: datetime, *, seconds: bool = False) -> str:
    """A time of today as a clock, any other with its day."""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    clock = "H:i:s" if seconds else "H:i"
    return date_format(local, clock if today else f"j M, {clock}")
