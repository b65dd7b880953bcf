"""What deceives a reader, made visible.

Agents write what people approve. A direction override, a zero-width character or a letter of
another alphabet makes a text read differently from what it is, so each one is marked where it
stands, and a sentence says so.
"""

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterator

from django.utils.html import escape, format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from web.text.invisible import Hidden, find_hidden
from web.text.lookalikes import LookAlike, find_lookalikes, letter_name

SIGN = "\u2423"
MOST_MARKERS = 1_000
NAMED_IN_WARNING = 3
LOOKED_THROUGH = 50_000
LONGEST_MARKED = 60

_PLAIN = re.compile(r"[\t\n\r -~]*").fullmatch
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_MARKDOWN_SIGNS = str.maketrans("", "", "*_~`")


def revealed_html(text: str, *, code: bool = False) -> str:
    """Escaped HTML in which what hides or imitates is marked."""
    if _PLAIN(text):
        return escape(text)
    return "".join(_pieces(text, escape, _hidden_html, _lookalike_html, code=code))


def isolated_html(text: str) -> str:
    """The same, kept from turning the words around it where it is written right to left."""
    html = revealed_html(text)
    return f"<bdi>{html}</bdi>" if _RIGHT_TO_LEFT.search(text) else html


def revealed_text(text: str) -> str:
    """The same without markup, for attributes, options of a list, and titles of pages."""
    if _PLAIN(text):
        return text
    return "".join(_pieces(text, str, _hidden_text, _lookalike_text))


def without_hidden(text: str) -> str:
    """On one line, and without what nobody can see: for where nothing can be marked."""
    kept, until = [], 0
    for found in find_hidden(text):
        kept.append(text[until : found.start])
        until = found.end
    return " ".join("".join([*kept, text[until:]]).split())


def warnings_in(*texts: str | None) -> list[str]:
    """What a person should know before deciding on these texts, as sentences; most have none."""
    looked_at = [text[:LOOKED_THROUGH] for text in texts if text and not _PLAIN(text)]
    hidden = [found for text in looked_at for found in find_hidden(text)]
    named: dict[str, str] = {}
    for text in looked_at:
        for found in find_lookalikes(text.translate(_MARKDOWN_SIGNS)):
            named.setdefault(revealed_text(found.word), found.warning)
    sentences = list(named.values())[:NAMED_IN_WARNING]
    if len(named) > len(sentences):
        sentences.append(_("More words mix letters of several alphabets."))
    return [_hidden_warning(hidden), *sentences] if hidden else sentences


def _hidden_warning(hidden: list[Hidden]) -> str:
    kinds: Counter[str] = Counter()
    for found in hidden:
        code = "" if found.is_pile else f" U+{ord(found.character):04X}"
        kinds[found.name + code] += found.end - found.start
    names = [name for name, _number in kinds.most_common(NAMED_IN_WARNING)]
    total = kinds.total()
    shown = ", ".join(names) + (", …" if len(kinds) > len(names) else "")
    return ngettext(
        "This text contains %(number)d character that cannot be seen for what it is (%(names)s). "
        "It is marked where it stands.",
        "This text contains %(number)d characters that cannot be seen for what they are "
        "(%(names)s). They are marked where they stand.",
        total,
    ) % {"number": total, "names": shown}


def _pieces(
    text: str,
    plain: Callable[[str], str],
    hidden: Callable[[Hidden], str],
    lookalike: Callable[[LookAlike], str],
    *,
    code: bool = False,
) -> Iterator[str]:
    """The text in pieces. A flood of markers would hide the rest as well, so it is cut off."""
    until = 0
    for number, found in enumerate(_found(text, code=code)):
        yield plain(text[until : found.start])
        until = found.end
        if number == MOST_MARKERS:
            left = {"number": len(text) - found.start}
            yield plain(_("… %(number)d more characters are not shown: too many hide.") % left)
            return
        yield hidden(found) if isinstance(found, Hidden) else lookalike(found)
    yield plain(text[until:])


def _found(text: str, *, code: bool) -> Iterator[Hidden | LookAlike]:
    """Both kinds in order. They never overlap: a hidden character is no part of a word."""
    return heapq.merge(find_hidden(text, code=code), find_lookalikes(text), key=_start)


def _start(found: Hidden | LookAlike) -> int:
    return found.start


def _hidden_html(found: Hidden) -> str:
    return format_html(
        '<span class="hidden-char" title="{}">{}{}</span>', found.name, SIGN, found.code
    )


def _hidden_text(found: Hidden) -> str:
    return f"{SIGN}{found.code}{SIGN}"


def _lookalike_html(found: LookAlike) -> str:
    letters = found.word if len(found.word) <= LONGEST_MARKED else ""
    word = "".join(
        format_html('<span class="look-alike" title="{}">{}</span>', letter_name(letter), letter)
        if letter in found.foreign
        else escape(letter)
        for letter in letters
    )
    note = format_html('<span class="hidden-char" title="{}">{}</span>', found.warning, found.note)
    return (word or escape(found.word)) + note


def _lookalike_text(found: LookAlike) -> str:
    return f"{found.word} [{found.note}]"
