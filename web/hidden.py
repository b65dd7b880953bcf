"""Characters that a reader cannot see, made visible.

Agents write what people approve. A direction override or a zero-width character can make a text
read differently from what it is, so each one is shown by its code point.
"""

import unicodedata

from django.utils.html import escape

HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
LAYOUT = frozenset("\t\n\r")
# Fillers and selectors that draw nothing, although their category says letter or mark.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in range(0xE0100, 0xE01F0)
}
JOINER = "\u200d"


def is_hidden(character: str, before: str = "") -> bool:
    """Whether a character draws nothing. A joiner after a picture belongs to an emoji."""
    if character in LAYOUT:
        return False
    if character == JOINER and before and unicodedata.category(before) in {"So", "Sk", "Mn"}:
        return False
    return character in BLANKS or unicodedata.category(character) in HIDDEN_CATEGORIES


def revealed_html(text: str) -> str:
    """Escaped HTML in which hidden characters stand as marked code points."""
    if text.isascii() and text.isprintable():
        return escape(text)
    pieces = [
        _marker(character) if is_hidden(character, before) else escape(character)
        for before, character in zip(["", *text], text, strict=False)
    ]
    return "".join(pieces)


def without_hidden(text: str) -> str:
    """For where nothing can be marked: on one line, and without what nobody can see."""
    pairs = zip(["", *text], text, strict=False)
    kept = (letter for before, letter in pairs if not is_hidden(letter, before))
    return " ".join("".join(kept).split())


def _marker(character: str) -> str:
    return f'<span class="hidden-char">\u2423U+{ord(character):04X}</span>'
