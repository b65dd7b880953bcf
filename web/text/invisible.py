"""Characters that a reader cannot see, or not for what they are: where they stand in a text."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MARKS_PER_LETTER = 4
VIRAMA = 9

# A word character is never invisible, but for the fillers of Hangul.
_LOOK_AT = re.compile(r"([^\w\t\n\r -~]|[\u115f\u1160\u3164\uffa0])\1*")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_PICTURES = frozenset({"So", "Sk", "Sm", "Po", "Pd"})

# Selectors and fillers that draw nothing, although their category says letter, mark or symbol.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
# Signs that Unicode calls format characters although they are drawn (around numbers).
_DRAWN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# One of these between words is typography; several, or another kind, hide something.
_TYPOGRAPHY = frozenset("\u00a0\u2009\u202f\u3000")
_PICTURE_LOOK = "\ufe0f"
_KEYCAPS, _KEYCAP = frozenset("#*0123456789"), "\u20e3"
_SUBDIVISION_FLAG = re.compile(
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063"
    "\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
# Arabic, Syriac, N'Ko, the scripts of India, Tibet, Myanmar, Cambodia and Mongolia join letters.
_JOINING = re.compile(
    "[\u0620-\u07ff\u0840-\u08ff\u0900-\u0dff\u0f00-\u0fff\u1000-\u109f\u1780-\u18af\ufb50-\ufdff"
    "\ufe70-\ufefc]"
)
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MONGOLIAN = re.compile("[\u1820-\u18aa]")

_NAMES = {
    "\u00a0": gettext_lazy("no-break space"),
    "\u00ad": gettext_lazy("soft hyphen"),
    "\u034f": gettext_lazy("grapheme joiner"),
    "\u061c": gettext_lazy("Arabic direction mark"),
    "\u1680": gettext_lazy("ogham space"),
    "\u200b": gettext_lazy("zero-width space"),
    "\u200c": gettext_lazy("zero-width non-joiner"),
    "\u200d": gettext_lazy("zero-width joiner"),
    "\u200e": gettext_lazy("left-to-right mark"),
    "\u200f": gettext_lazy("right-to-left mark"),
    "\u2028": gettext_lazy("line separator"),
    "\u2029": gettext_lazy("paragraph separator"),
    "\u202a": gettext_lazy("left-to-right embedding"),
    "\u202b": gettext_lazy("right-to-left embedding"),
    "\u202c": gettext_lazy("end of a direction"),
    "\u202d": gettext_lazy("left-to-right override"),
    "\u202e": gettext_lazy("right-to-left override"),
    "\u2060": gettext_lazy("word joiner"),
    "\u2061": gettext_lazy("invisible function application"),
    "\u2062": gettext_lazy("invisible times"),
    "\u2063": gettext_lazy("invisible comma"),
    "\u2064": gettext_lazy("invisible plus"),
    "\u2066": gettext_lazy("left-to-right isolate"),
    "\u2067": gettext_lazy("right-to-left isolate"),
    "\u2068": gettext_lazy("first-strong isolate"),
    "\u2069": gettext_lazy("end of an isolate"),
    "\u2800": gettext_lazy("blank braille pattern"),
    "\u3164": gettext_lazy("Hangul filler"),
    "\ufeff": gettext_lazy("zero-width no-break space"),
}
_NAMES_OF_CATEGORIES = {
    "Cc": gettext_lazy("control character"),
    "Cn": gettext_lazy("unassigned character"),
    "Co": gettext_lazy("private-use character"),
    "Cs": gettext_lazy("half of a surrogate pair"),
    "Zs": gettext_lazy("unusual space"),
}


@dataclass(frozen=True)
class Hidden:
    """A run of the same invisible character, or the marks that are piled up on one letter."""

    start: int
    end: int
    character: str

    @property
    def is_pile(self) -> bool:
        return unicodedata.category(self.character) in _MARKS and self.character not in _BLANKS

    @property
    def code(self) -> str:
        """What stands in its place: `U+202E`, with how often where it is a run."""
        number = self.end - self.start
        if self.is_pile:
            return _("%(number)d marks") % {"number": number}
        code = f"U+{ord(self.character):04X}"
        return code if number == 1 else f"{code} ×{number}"  # noqa: RUF001  # a times sign

    @property
    def name(self) -> str:
        return _("marks piled on one letter") if self.is_pile else _name(self.character)


def find_hidden(text: str, *, code: bool = False) -> Iterator[Hidden]:
    """Runs of hidden characters in order. In code, a space that is not ASCII counts as one."""
    run: Hidden | None = None
    for found in _singly(text, code=code):
        if run and run.end == found.start and _same_run(run, found.character):
            run = Hidden(run.start, found.end, run.character)
            continue
        if run:
            yield run
        run = found
    if run:
        yield run


def _singly(text: str, *, code: bool) -> Iterator[Hidden]:
    """Each hidden character; of a long repetition, the end at once."""
    flags = {place for flag in _SUBDIVISION_FLAG.finditer(text) for place in range(*flag.span())}
    for match in _LOOK_AT.finditer(text):
        start, end = match.span()
        settled = min(end, start + MARKS_PER_LETTER + 1)
        for place in range(start, settled):
            if place not in flags and _is_hidden(text, place, code=code):
                yield Hidden(place, end if place == settled - 1 else place + 1, text[place])


def _same_run(run: Hidden, character: str) -> bool:
    piled = run.is_pile and _category(character) in _MARKS
    return piled or run.character == character


def _is_hidden(text: str, place: int, *, code: bool) -> bool:
    character = text[place]
    category = _category(character)
    if category == "Zs":
        return code or character not in _TYPOGRAPHY or _in_a_run(text, place)
    if character in _BLANKS or category in _HIDDEN_CATEGORIES:
        return character not in _DRAWN and not _belongs(text, place)
    return category in _MARKS and _is_piled(text, place)


def _in_a_run(text: str, place: int) -> bool:
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return any(_category(character) == "Zs" and character != " " for character in around)


def _is_piled(text: str, place: int) -> bool:
    below = text[max(place - MARKS_PER_LETTER, 0) : place]
    return len(below) == MARKS_PER_LETTER and all(_category(mark) in _MARKS for mark in below)


def _belongs(text: str, place: int) -> bool:
    """Whether a script or an emoji needs this character to be drawn right."""
    character = text[place]
    before = text[place - 1] if place else ""
    after = text[place + 1] if place + 1 < len(text) else ""
    match character:
        case _ if not before:
            found = False
        case "\u200d":
            found = unicodedata.combining(before) == VIRAMA or _joins_pictures(text, place)
        case "\u200c":
            joined = _JOINING.match(before) and _JOINING.match(after)
            found = unicodedata.combining(before) == VIRAMA or bool(joined)
        case "\ufe0e" | "\ufe0f":
            keycap = before in _KEYCAPS and after == _KEYCAP
            found = keycap or (not before.isascii() and _category(before) in _PICTURES)
        case _ if "\U000e0100" <= character <= "\U000e01ef":
            found = bool(_IDEOGRAPH.match(before))
        case _ if "\u180b" <= character <= "\u180f":
            found = bool(_MONGOLIAN.match(before))
        case _:  # a picture that is newer than our tables
            found = "\U0001f000" <= character <= "\U0001faff" and _category(character) == "Cn"
    return found


def _joins_pictures(text: str, place: int) -> bool:
    before = text[place - 1]
    if before == _PICTURE_LOOK and place > 1:
        before = text[place - 2]
    after = text[place + 1 : place + 2]
    return bool(after) and all(
        not side.isascii() and _category(side) in {"So", "Sk", "Sm"} for side in (before, after)
    )


@lru_cache(4096)
def _category(character: str) -> str:
    return unicodedata.category(character)


def _name(character: str) -> str:
    known = _NAMES.get(character) or _NAMES_OF_CATEGORIES.get(_category(character))
    if known:
        return str(known)
    if "\U000e0000" <= character <= "\U000e007f":
        return _("tag character")
    return unicodedata.name(character, _("invisible character")).lower()
