"""What it means that something mentions a text that a person typed."""

import json
from collections.abc import Iterable

from django.db.models import Q


def contains(column: str, text: str) -> Q:
    """The column has the text in it, in any case."""
    return _any(column, _spellings(text))


def contains_in_json(column: str, text: str) -> Q:
    """The same for JSON as an agent wrote it, where letters and quotes may stand escaped."""
    written = {
        json.dumps(spelling, ensure_ascii=ascii_only)[1:-1]
        for spelling in _spellings(text)
        for ascii_only in (True, False)
    }
    return _any(column, sorted(written))


def mentions(text: str) -> Q:
    """Reviews whose message, question or channel has the text in it."""
    return (
        contains("message__text", text)
        | contains_in_json("payload_json", text)
        | contains("channel__name", text)
    )


def _any(column: str, texts: Iterable[str]) -> Q:
    matching = Q()
    for text in texts:
        matching |= Q(**{f"{column}__icontains": text})
    return matching


def _spellings(text: str) -> list[str]:
    """SQLite folds the case of ASCII letters only; other words are tried as people write them."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys([text, text.lower(), text.upper(), text.capitalize(), text.title()]))
