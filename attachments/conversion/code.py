"""Source code as coloured lines: pairs of Pygments' class name and text."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from attachments.conversion import parts
from attachments.conversion.texts import decode

LONGEST = 512 * 1024

type Line = list[tuple[str, str]]


def convert(source: Path, folder: Path, filename: str) -> None:
    with source.open("rb") as opened:
        text = decode(opened.read(LONGEST))
    try:
        lexer = get_lexer_for_filename(filename, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False, ensurenl=False)
    lines = json.dumps(_lines(lexer.get_tokens(text)), ensure_ascii=False, separators=(",", ":"))
    (folder / parts.CODE).write_text(lines, encoding="utf-8", errors="replace")


def _lines(tokens: Iterable[tuple[Any, str]]) -> list[Line]:
    """Tokens cut at the ends of lines; neighbours that look alike become one."""
    lines: list[Line] = [[]]
    for kind, value in tokens:
        for number, piece in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if piece:
                _append(lines[-1], _class(kind), piece)
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _append(line: Line, name: str, piece: str) -> None:
    if line and line[-1][0] == name:
        piece = line.pop()[1] + piece
    line.append((name, piece))


def _class(kind: Any) -> str:
    """Pygments' short name of a token; of its nearest ancestor if it has none."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent
    return str(STANDARD_TYPES[kind])
