"""Colours of code: spans with class names, for languages that are known to be quick to read."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType

from web.text.hidden import revealed_html

LONGEST = 6_000
LONGEST_LINE = 200
PREFIX = "tok-"
# The agent names the language, and a lexer is a heap of regular expressions: only these.
LANGUAGES = frozenset(
    {
        *("bash", "c", "cpp", "css", "diff", "docker", "dockerfile", "go", "html", "ini", "java"),
        *("javascript", "js", "json", "kotlin", "lua", "makefile", "php", "python", "py", "ruby"),
        *("rust", "sh", "shell", "sql", "swift", "toml", "typescript", "ts", "xml", "yaml", "yml"),
    }
)
CLASSES = frozenset(PREFIX + name for name in STANDARD_TYPES.values() if name)
# Long lines and piles of blank ones are what makes lexers slow.
_SLOW = re.compile(rf"[^\n]{{{LONGEST_LINE + 1}}}|(?:\n[ \t]*){{8}}")


@dataclass
class Allowance:
    """The seconds that are left for the colours of one text, over all its blocks of code."""

    seconds: float = 0.05


def code_html(code: str, language: str, allowance: Allowance) -> str:
    """Escaped code with its hidden characters marked; in colours as far as that goes quickly."""
    if language.lower() not in LANGUAGES or len(code) > LONGEST or _SLOW.search(code):
        return revealed_html(code, code=True)
    return "".join(_coloured(code, _lexer(language.lower()), allowance))


def _coloured(code: str, lexer: Lexer, allowance: Allowance) -> Iterator[str]:
    """Stops in the middle of a text that its lexer is slow on: the rest has no colours."""
    last = time.monotonic()
    for place, kind, value in lexer.get_tokens_unprocessed(code):
        now = time.monotonic()
        allowance.seconds -= now - last
        last = now
        if allowance.seconds < 0:
            yield revealed_html(code[place:], code=True)
            return
        yield _span(kind, revealed_html(value, code=True))


def _span(kind: _TokenType, html: str) -> str:
    name = next(STANDARD_TYPES[each] for each in reversed(kind.split()) if each in STANDARD_TYPES)
    return f'<span class="{PREFIX}{name}">{html}</span>' if name and html.strip() else html


@lru_cache(len(LANGUAGES))
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language)
