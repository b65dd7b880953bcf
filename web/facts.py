"""An agent's metadata: the first flat values as facts, the rest as details."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web.outcomes import pretty

SHOWN = 4
LONGEST = 40
NOT_FACTS = frozenset({"webhookUrl", "plugin"})
_WORD_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")


@dataclass(frozen=True)
class Facts:
    shown: list[tuple[str, str]]
    rest: list[tuple[str, str]]


def read_facts(metadata: Any) -> Facts:
    values = metadata if isinstance(metadata, Mapping) else {}
    flat = [name for name, value in values.items() if name not in NOT_FACTS and _is_flat(value)]
    first = flat[:SHOWN]
    rest = [name for name in values if name not in first and name not in NOT_FACTS]
    return Facts(
        shown=[(_words(name), _shown(values[name])) for name in first],
        rest=[(_words(name), _shown(values[name])) for name in rest],
    )


def _is_flat(value: Any) -> bool:
    return isinstance(value, str | int | float) and 0 < len(_shown(value)) <= LONGEST


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else pretty(value)


def _words(name: str) -> str:
    """`errorRate` and `error_rate` read `Error rate`."""
    words = [
        word if word.isupper() else word.lower()
        for word in _WORD_EDGE.sub(" ", name).split(" ")
        if word
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
