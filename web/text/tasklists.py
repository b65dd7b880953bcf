"""Task lists: `- [ ] this` and `- [x] that` as drawn boxes.

The plugin that does this looks back through all tokens at each task; this looks at each token once.
"""

import re
from itertools import pairwise

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_BOX = re.compile(r"\[([ xX])\]\s")
OPEN, DONE = "\u2610", "\u2611"


def draw_tasks(state: StateCore) -> None:
    for item, (paragraph, inline) in zip(state.tokens, pairwise(state.tokens[1:]), strict=False):
        if (item.type, paragraph.type, inline.type) == (
            "list_item_open",
            "paragraph_open",
            "inline",
        ):
            _draw(item, inline)


def _draw(item: Token, inline: Token) -> None:
    first = inline.children[0] if inline.children else None
    box = _BOX.match(first.content) if first and first.type == "text" else None
    if first is None or box is None or inline.children is None:
        return
    item.attrSet("class", "task-list-item")
    first.content = " " + first.content[box.end() :]
    inline.children.insert(0, Token("task", "", 0, content=OPEN if box[1] == " " else DONE))
