"""Every key of the pages: the one source for the sheet, the palette, the scripts and the settings.

A key is written as `KeyboardEvent.key` says it. Two characters with a space between are pressed one
after the other; `mod+` is Cmd on a Mac and Ctrl elsewhere; `1-9` stands for nine keys. A person may
change a key that is made of characters alone, or switch all of those off (WCAG 2.1.4); the others
are fixed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User

OWN_KEY = re.compile(r"\S|\S \S")
DIGITS = "1-9"


@dataclass(frozen=True)
class Shortcut:
    """An action of the pages with the key that we give it."""

    name: str
    keys: str
    label: str | Promise
    group: str | Promise

    @property
    def is_character(self) -> bool:
        """Made of characters alone, so that it can fire by accident."""
        return self.keys == DIGITS or OWN_KEY.fullmatch(self.keys) is not None

    @property
    def changeable(self) -> bool:
        return self.is_character and self.keys != DIGITS


LIST = gettext_lazy("List")
REVIEW = gettext_lazy("Review")
READING = gettext_lazy("Reading")
GOING = gettext_lazy("Going")
EVERYWHERE = gettext_lazy("Everywhere")

SHORTCUTS = (
    Shortcut("next", "j", gettext_lazy("Next"), LIST),
    Shortcut("previous", "k", gettext_lazy("Previous"), LIST),
    Shortcut("list-next", "ArrowDown", gettext_lazy("Next, in the list"), LIST),
    Shortcut("list-previous", "ArrowUp", gettext_lazy("Previous, in the list"), LIST),
    Shortcut("open", "o", gettext_lazy("Open the review"), LIST),
    Shortcut("list-open", "Enter", gettext_lazy("Open, in the list"), LIST),
    Shortcut("unread", "u", gettext_lazy("Mark as unread"), LIST),
    Shortcut("select", "x", gettext_lazy("Select, to answer several together"), LIST),
    Shortcut("show-new", ".", gettext_lazy("Show what is new"), LIST),
    Shortcut("answer", DIGITS, gettext_lazy("Go to an answer, or pick it"), REVIEW),
    Shortcut("send", "mod+Enter", gettext_lazy("Send the answer"), REVIEW),
    Shortcut("feedback", "r", gettext_lazy("Answer with feedback"), REVIEW),
    Shortcut("comment", "c", gettext_lazy("Write a comment or a message"), REVIEW),
    Shortcut("dismiss", "e", gettext_lazy("Dismiss, if the agent offers it"), REVIEW),
    Shortcut("previous-file", "[", gettext_lazy("Previous file"), READING),
    Shortcut("next-file", "]", gettext_lazy("Next file"), READING),
    Shortcut("previous-revision", ",", gettext_lazy("Previous revision"), READING),
    Shortcut("next-revision", ";", gettext_lazy("Next revision"), READING),
    Shortcut("diff", "d", gettext_lazy("Show or hide the difference"), READING),
    Shortcut("preview", "p", gettext_lazy("Show the file on the whole screen"), READING),
    Shortcut("switch-view", "v", gettext_lazy("From review to conversation and back"), READING),
    Shortcut("go-inbox", "g i", gettext_lazy("Inbox"), GOING),
    Shortcut("go-channels", "g c", gettext_lazy("Channels"), GOING),
    Shortcut("go-files", "g f", gettext_lazy("Files"), GOING),
    Shortcut("go-activity", "g a", gettext_lazy("Activity"), GOING),
    Shortcut("go-settings", "g s", gettext_lazy("Settings"), GOING),
    Shortcut("search", "/", gettext_lazy("Search"), EVERYWHERE),
    Shortcut("palette", "mod+k", gettext_lazy("Open the command palette"), EVERYWHERE),
    Shortcut("shortcuts", "?", gettext_lazy("Show all keys"), EVERYWHERE),
    Shortcut("back", "Escape", gettext_lazy("Close, leave the field, or go back"), EVERYWHERE),
)
BY_NAME: Mapping[str, Shortcut] = {shortcut.name: shortcut for shortcut in SHORTCUTS}


def keys_for(user: User) -> dict[str, str]:
    """The key of each action that has one for this person."""
    return {
        shortcut.name: _own(user, shortcut)
        for shortcut in SHORTCUTS
        if user.single_keys or not shortcut.is_character
    }


def _own(user: User, shortcut: Shortcut) -> str:
    """Their key, unless what is stored is not a key any more."""
    own = user.own_keys.get(shortcut.name) if isinstance(user.own_keys, dict) else None
    if isinstance(own, str) and shortcut.changeable and OWN_KEY.fullmatch(own):
        return own
    return shortcut.keys


def normal_key(typed: str) -> str:
    """One character, or two with one space between; a letter is the small one."""
    return " ".join(typed.split()).lower()


def problems_of(keys: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a choice of keys, for each action: no key, or one that is taken."""
    everything = {shortcut.name: shortcut.keys for shortcut in SHORTCUTS} | dict(keys)
    problems: dict[str, str] = {}
    for name, key in keys.items():
        if not OWN_KEY.fullmatch(key):
            problems[name] = _("Type one character, or two with a space between them.")
        elif taken := next(_rivals(name, key, everything), None):
            values: dict[str, Any] = {"action": BY_NAME[taken].label}
            problems[name] = _("This key is taken: %(action)s.") % values
    return problems


def _rivals(name: str, key: str, everything: Mapping[str, str]) -> Iterator[str]:
    """Actions whose key is the same, or begins like it, so that one of them never fires."""
    for other, theirs in everything.items():
        if other != name and any(_collide(key, each) for each in _each(theirs)):
            yield other


def _each(keys: str) -> list[str]:
    return list("123456789") if keys == DIGITS else [keys]


def _collide(one: str, other: str) -> bool:
    first, second = one.split(" "), other.split(" ")
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]
