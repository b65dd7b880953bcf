"""Where a list begins or ends: a message's id, or a moment as clients write it."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from django.http.request import QueryDict

from accounts.ids import EPOCH, parse_uuid
from api.placet.errors import InvalidBodyError, fault
from api.placet.views.base import in_query

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# `String(new Date())`. A plus that was not escaped arrives as a blank, and the name of the zone
# depends on the reader's language.
JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>\d{2}) (?P<year>\d{4}) "
    r"(?P<time>\d{2}:\d{2}:\d{2}) GMT(?P<sign>[-+ ])(?P<zone>\d{4})(?: \(.*\))?",
    re.ASCII | re.DOTALL,
)
MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)
LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
PROBLEM = (
    "must be a message's id, milliseconds since 1970, ISO 8601 with a zone, or a JavaScript date"
)


def older_than(query: QueryDict) -> uuid.UUID | None:
    """The id that those of all wanted messages are below: of a message, or of a moment's begin.

    Raises: InvalidBodyError.
    """
    return _edge(query, "before", milliseconds_on=0)


def newer_than(query: QueryDict) -> uuid.UUID | None:
    """The id that those of all wanted messages are above: of a message, or of a moment's end.

    Raises: InvalidBodyError.
    """
    return _edge(query, "after", milliseconds_on=1)


def _edge(query: QueryDict, name: str, *, milliseconds_on: int) -> uuid.UUID | None:
    text = in_query(query, name)
    if text is None:
        return None
    named = parse_uuid(text)
    if named is not None:
        return named
    moment = _milliseconds(text)
    if moment is None:
        raise InvalidBodyError(fault("invalid", PROBLEM, name))
    # Ids begin with the millisecond in which they were made.
    return uuid.UUID(int=(min(max(moment, 0), LATEST) + milliseconds_on) << 80)


def _milliseconds(text: str) -> int | None:
    """Since 1970; None for what is no moment."""
    if MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(_iso(text))
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment - EPOCH) // timedelta(milliseconds=1)


def _iso(text: str) -> str:
    """The text of a JavaScript date as ISO 8601; any other text as it is."""
    date = JAVASCRIPT.fullmatch(text)
    if date is None or date["month"] not in MONTHS:
        return text
    month = MONTHS.index(date["month"]) + 1
    sign = date["sign"].replace(" ", "+")
    return f"{date['year']}-{month:02}-{date['day']}T{date['time']}{sign}{date['zone']}"
