"""The sheet of all keys, as one person has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from accounts.models import User
from web.shortcuts import DIGITS, SHORTCUTS, Shortcut, keys_for


@dataclass(frozen=True)
class Line:
    """An action and what is printed on its keys; nothing for one that is switched off."""

    label: str
    caps: Sequence[str]
    together: bool


@dataclass(frozen=True)
class Section:
    label: str
    lines: Sequence[Line]


def sections_for(user: User) -> list[Section]:
    keys = keys_for(user)
    return [
        Section(label, [_line(shortcut, keys.get(shortcut.name, "")) for shortcut in members])
        for label, members in groupby(SHORTCUTS, key=_group)
    ]


def _group(shortcut: Shortcut) -> str:
    return str(shortcut.group)


def _line(shortcut: Shortcut, key: str) -> Line:
    return Line(str(shortcut.label), caps_of(key), together=_is_together(key))


def caps_of(key: str) -> list[str]:
    """What is printed on the keys of a shortcut: one for each that is pressed."""
    return [_cap(each) for each in (key.split("+") if _is_together(key) else key.split())]


def _is_together(key: str) -> bool:
    return len(key) > 1 and "+" in key


def _cap(key: str) -> str:
    names = {
        "mod": _("Ctrl"),
        "Enter": _("Enter"),
        "Escape": _("Esc"),
        "ArrowUp": "↑",
        "ArrowDown": "↓",
        DIGITS: "1-9",
    }
    return names.get(key) or (key.upper() if len(key.upper()) == 1 else key)
