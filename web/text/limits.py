"""A bound on the work that one Markdown text may cause, counted in steps and not in seconds."""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.reference import reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

MOST_STEPS = 12_000
MOST_LINES = 4_000
MOST_BLOCKS = 8_000
MOST_QUOTED_LINES = 20_000
MOST_LINKS = 1_000
DEEPEST = 20
# Where a link, a picture, an entity or an address may begin, all that follows is looked at.
DEAR = frozenset("[!<&")
DEAR_STEPS = 4

_QUOTED = re.compile(r"^[ \t>*+-]*>", re.MULTILINE)


class TooTangledError(Exception):
    """Formatting this text would take too long, or would leave a part of it out."""


class Blocks(list[Token]):
    """The tokens of the blocks, which stop growing: a row of a table can stand for many cells."""

    def append(self, token: Token) -> None:
        if len(self) >= MOST_BLOCKS:
            raise TooTangledError
        super().append(token)


def limit_work(parser: MarkdownIt) -> None:
    """Make a parser raise TooTangledError, and show what it would leave out."""
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False})  # `report.py` is a file, no place in Paraguay
        parser.linkify.add("//", None)
    parser.core.ruler.before("block", "limit", _begin)
    parser.block.ruler.before("table", "limit", _refuse_depth)
    parser.block.ruler.at("reference", _shown_reference)
    parser.inline.ruler.before("text", "limit", _count_step)


def _begin(state: StateCore) -> None:
    links = state.src.count("://") + state.src.count("www.") + state.src.count("@")
    lines = state.src.count("\n")
    quoted = max((each.count(">") for each in _QUOTED.findall(state.src)), default=0)
    if lines > MOST_LINES or links > MOST_LINKS or lines * quoted > MOST_QUOTED_LINES:
        raise TooTangledError
    state.env["steps"] = 0
    state.tokens = Blocks()


def _refuse_depth(state: StateBlock, *_: Any) -> bool:
    """The parser drops what is nested deeper than it goes, without a word."""
    if state.level > DEEPEST:
        raise TooTangledError
    return False


def _count_step(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the parser's signature
    state.env["steps"] += DEAR_STEPS if state.src[state.pos] in DEAR else 1
    if state.env["steps"] > MOST_STEPS:
        raise TooTangledError
    return False


def _shown_reference(
    state: StateBlock,
    startLine: int,  # noqa: N803  # the parser's names
    endLine: int,  # noqa: N803
    silent: bool,  # noqa: FBT001
) -> bool:
    """The target of a link at the end of a text is read by agents, so people see it, too."""
    if not reference(state, startLine, endLine, silent):
        return False
    written = state.getLines(startLine, state.line, state.blkIndent, keepLastLF=False)
    state.push("paragraph_open", "p", 1)
    token = state.push("inline", "", 0)
    token.content, token.map = "", [startLine, state.line]
    token.children = [Token("text", "", 0, content=written)]
    state.push("paragraph_close", "p", -1)
    return True
