"""Words and host names that imitate others with letters of another alphabet (UTS 39)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Script(NamedTuple):
    """An alphabet whose letters are taken for those of another one."""

    name: Any
    letters: "re.Pattern[str]"


LATIN = Script(
    gettext_lazy("Latin"),
    re.compile(
        "[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff\u2c60-\u2c7f"
        "\ua722-\ua7ff\uff21-\uff3a\uff41-\uff5a]"
    ),
)
CYRILLIC = Script(
    gettext_lazy("Cyrillic"), re.compile("[\u0400-\u0481\u048a-\u052f\u1c80-\u1c8f\ua640-\ua69f]")
)
OTHERS = (
    CYRILLIC,
    Script(gettext_lazy("Greek"), re.compile("[\u0370-\u03ff\u1f00-\u1fff]")),
    Script(gettext_lazy("Armenian"), re.compile("[\u0530-\u058f]")),
    Script(gettext_lazy("Cherokee"), re.compile("[\u13a0-\u13ff\uab70-\uabbf]")),
    Script(gettext_lazy("Coptic"), re.compile("[\u2c80-\u2cff]")),
)
# Each letter with the Latin one that it looks like, from the confusables of UTS 39.
LOOKS_LIKE = dict(
    zip(
        # Cyrillic
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0457\u0458\u051b\u051d\u04bb"
        "\u04cf\u0501\u0475\u043a\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e"
        "\u0420\u0421\u0422\u0423\u0425\u04ae\u050c\u051a\u051c\u04c0\u0433\u043f"
        # Greek
        "\u03b1\u03bf\u03bd\u03c1\u03c5\u03b9\u03ba\u03b3\u03b7\u03c4\u03c7\u03c9\u03f2\u03f3"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        # Armenian
        "\u0585\u057d\u0570\u0578\u0581\u0566\u0561\u054f\u054d\u0555"
        # Cherokee
        "\u13aa\u13f4\u13df\u13a0\u13ac\u13c0\u13bb\u13ab\u13e6\u13de\u13b7\u13e2\u13da\u13a2"
        "\u13d9\u13b3\u13c3\u13a1"
        # Coptic
        "\u2c9f\u2ca3\u2ca5\u2c9e\u2ca2\u2ca4",
        "aeopcyxsi\u00efjqwhldvk"
        "ABESIJKMHOPCTYXYGQWIrn"
        "aovpuikyntxwcj"
        "ABEZHIKMNOPTYX"
        "ouhngqwSUO"
        "ABCDEGHJKLMPSTVWZR"
        "opcOPC",
        strict=True,
    )
)
SHORTEST_GREEK = 3
LONGEST_NAMED = 60
LONGEST_HOST = 253

# The fillers of Hangul count as letters, although nobody sees them.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
_WORD = re.compile("(?:[^\\W_\u115f\u1160\u3164\uffa0][\u0300-\u036f]{0,4})+")
_HOST = re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True)
class LookAlike:
    """A word that is not what it seems: which letters are foreign in it, and why it is shown."""

    start: int
    end: int
    word: str
    foreign: frozenset[str]
    note: str
    is_host: bool = False

    @property
    def warning(self) -> str:
        word = self.word
        shown = word if len(word) <= LONGEST_NAMED else f"{word[:LONGEST_NAMED]}…"
        values = {"word": shown, "note": self.note[: 2 * LONGEST_NAMED]}
        if self.is_host:
            return _("“%(word)s” is the address %(note)s: it may imitate another name.") % values
        return _("“%(word)s” mixes letters (%(note)s): it may imitate another name.") % values


def letter_name(letter: str) -> str:
    """`Cyrillic letter that looks like “a”`; a Latin letter among others is just that."""
    script = next((each for each in OTHERS if each.letters.match(letter)), LATIN)
    twin = LOOKS_LIKE.get(letter)
    if twin is None:
        return _("%(script)s letter") % {"script": script.name}
    return _("%(script)s letter that looks like “%(twin)s”") % {
        "script": script.name,
        "twin": twin,
    }


def find_lookalikes(text: str) -> Iterator[LookAlike]:
    """Host names, and words outside of them, in the order of the text."""
    if text.isascii():
        return
    hosts = _hosts(text)
    host = next(hosts, None)
    until = 0
    for match in _WORD.finditer(text):
        start = match.start()
        if start < until:
            continue
        while host and host.end <= start:
            host = next(hosts, None)
        found = host if host and host.start <= start else _mixed(match)
        if found is not None:
            until = found.end
            yield found


def _hosts(text: str) -> Iterator[LookAlike]:
    for match in _HOST.finditer(text):
        host = match[0].strip("-_.")
        plain = host.isascii() or len(host) > LONGEST_HOST or not _FILLERS.isdisjoint(host)
        foreign = frozenset[str]() if plain else _posing(host)
        if foreign:
            start = match.start() + match[0].index(host)
            end = start + len(host)
            yield LookAlike(start, end, host, foreign, ascii_host(host), is_host=True)


def _posing(host: str) -> frozenset[str]:
    """The foreign letters, where a part of the name mixes alphabets or could be read as Latin."""
    if not any(_is_read_as_latin(label) or _scripts(label) for label in host.split(".")):
        return frozenset()
    letters = frozenset(host)
    return frozenset(letter for letter in letters if any(s.letters.match(letter) for s in OTHERS))


def _is_read_as_latin(label: str) -> bool:
    return not label.isascii() and all(sign.isascii() or sign in LOOKS_LIKE for sign in label)


def _scripts(word: str) -> list[Script]:
    """The alphabets that are mixed in a word, Latin first; nothing where it is only one."""
    if word.isascii() or not LATIN.letters.search(word):
        return []
    return [LATIN, *others] if (others := [s for s in OTHERS if s.letters.search(word)]) else []


def _mixed(match: "re.Match[str]") -> LookAlike | None:
    """A word of Latin and look-alike letters. `kΩ` and `ΔT` have none and are left alone."""
    word = match[0]
    scripts = _scripts(word)
    if not scripts:
        return None
    others = [letter for letter in word if any(s.letters.match(letter) for s in scripts[1:])]
    posing = any(letter in LOOKS_LIKE for letter in others) and len(word) >= SHORTEST_GREEK
    if not posing and CYRILLIC not in scripts:
        return None
    latin = LATIN.letters.findall(word)
    foreign = frozenset(others if len(latin) >= len(others) else latin)
    note = "+".join(str(script.name) for script in scripts)
    return LookAlike(match.start(), match.end(), word, foreign, note)


def ascii_host(host: str) -> str:
    """The name as computers ask for it: `xn--…` where it is not ASCII."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode()
