"""What templates need beyond Django: icons, times, Markdown and visible hidden characters."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from inbox.cutting import COUNTED
from inbox.models import Channel
from web.looks import Look
from web.text.hidden import isolated_html, revealed_html, revealed_text, warnings_in
from web.text.invisible import find_hidden
from web.text.markdown import render_markdown
from web.times import clock_text, day_text

register = template.Library()

HUES = 6
# These show a direction of reading, and turn round where it runs from right to left.
POINTING = {"left", "right", "reply", "redo", "send", "exit"}


@register.filter
def markdown(text: str | None) -> SafeString:
    return render_markdown(text or "")


@register.filter
def revealed(text: Any) -> SafeString:
    """Escape, mark what hides or imitates, and keep it from turning the words around it."""
    return mark_safe(isolated_html(str(text)))  # noqa: S308  # escaped piece by piece


@register.filter
def revealed_code(text: Any) -> SafeString:
    """The same for code and data, where any space but the ordinary one matters."""
    return mark_safe(revealed_html(str(text), code=True))  # noqa: S308  # escaped piece by piece


@register.filter
def plain_revealed(text: Any) -> str:
    """The same without markup: for attributes, options of a list and titles of pages."""
    return revealed_text(str(text))


@register.filter
def warnings(text: Any) -> list[str]:
    """Sentences about what hides in a text that a control shows as it is."""
    return warnings_in(str(text))


@register.simple_tag
@lru_cache(maxsize=512)  # a page has hundreds of a few dozen
def icon(name: str, size: str = "") -> SafeString:
    return format_html(
        '<svg class="i {}{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        size,
        " points" if name in POINTING else "",
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def chip(look: Look) -> SafeString:
    """An icon and a word; a plain tag, because a list has more of them than of anything else."""
    shown = icon(look.icon), revealed(look.label)
    return format_html('<span class="chip {}">{}{}</span>', look.tone, *shown)


@register.simple_tag
def avatar(channel: Channel, size: str = "") -> SafeString:
    if channel.picture:
        address = reverse("web:picture", args=[channel.pk])
        text = '<img class="av {}" src="{}?v={}" alt="" width="36" height="36" loading="lazy">'
        return format_html(text, size, address, channel.picture)
    return _avatar(channel.name, hue(channel.pk), size)


@lru_cache(maxsize=512)
def _avatar(name: str, colour: str, size: str) -> SafeString:
    text = '<span class="av {} {}" aria-hidden="true">{}</span>'
    return format_html(text, size, colour, initials(name))


@register.filter
def hue(identity: UUID) -> str:
    """One of the six avatar colours, the same for an id every time."""
    return f"h{identity.int % HUES + 1}"


@register.filter
def initials(name: str) -> str:
    """The first two letters that can be seen."""
    letters = [sign for sign in name if sign.isalnum() and not any(find_hidden(sign))]
    return "".join(letters[:2]).upper() or "?"


@register.filter
def suffix(filename: str) -> str:
    """The kind of a file in up to four letters, for its tile."""
    ending = filename.rpartition(".")[2] if "." in filename else ""
    return ending[:4].upper() if ending.isascii() and ending.isalnum() else ""


@register.simple_tag
def moment(at: datetime) -> SafeString:
    """A time of today as a clock, an older one as a date; the full date as title."""
    local = timezone.localtime(at)
    today = timezone.localdate()
    if local.date() == today:
        shown = date_format(local, "H:i")
    elif local.date() == today - timedelta(days=1):
        shown = _("Yesterday")
    else:
        shown = day_text(local.date())
    return _time(local, shown)


@register.filter
def counted(number: int, most: int = COUNTED) -> str:
    """A count as it is shown: nobody counted further than `most`."""
    return f"{most - 1}+" if number > most - 1 else str(number)  # it may be lazy


@register.simple_tag
def clock(at: datetime, *, seconds: bool = False) -> SafeString:
    return _time(timezone.localtime(at), clock_text(at, seconds=seconds))


@register.simple_tag
def day(at: datetime) -> str:
    local = timezone.localdate(at)
    today = timezone.localdate()
    if local == today:
        return _("Today")
    if local == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(local, pgettext("date format", "l, j F Y"))


def _time(local: datetime, shown: str) -> SafeString:
    minute = local.replace(second=0, microsecond=0)
    full = _full_date(minute, f"{minute.tzinfo} {minute.tzname()}", get_language())
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), full, shown)


@lru_cache(maxsize=4096)
def _full_date(minute: datetime, zone: str, language: str | None) -> str:
    """Kept for each zone and language: times are equal across zones, and when a clock is set back.

    A list is looked at again and again, and the words of a date take as long as the rest of a row.
    """
    return date_format(minute, pgettext("date format", "l, j F Y, H:i T"))
