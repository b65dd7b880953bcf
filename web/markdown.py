"""Agents' Markdown as HTML that cannot run, load or fake anything."""

from collections.abc import Sequence
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from web.hidden import revealed_html

LONGEST = 200_000
HEADINGS_START_AT = 3

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "a", "span"),
    *("ul", "ol", "li", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
LINK_SCHEMES = {"http", "https", "mailto"}
LINK_REL = "noopener noreferrer nofollow"


class Renderer(RendererHTML):
    """Shows hidden characters, keeps headings below the page's own, and loads no picture."""

    def text(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return revealed_html(tokens[idx].content)

    def code_inline(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<code>{revealed_html(tokens[idx].content)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<pre><code>{revealed_html(tokens[idx].content)}</code></pre>\n"

    def fence(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return self.code_block(tokens, idx)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link instead: loading a picture would tell its server who reads, and when."""
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        label = self.renderInlineAsText(token.children, options, env) or source
        return f'<a href="{escape(source)}">{revealed_html(label)}</a>'

    def heading_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<{_lowered(tokens[idx].tag)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"</{_lowered(tokens[idx].tag)}>\n"


def _lowered(tag: str) -> str:
    """`h1` becomes `h3`: the page has its own first and second level."""
    return f"h{min(int(tag[1:]) + HEADINGS_START_AT - 1, 6)}"


_parser = MarkdownIt("commonmark", {"html": False, "linkify": True}, renderer_cls=Renderer).enable(
    ["table", "strikethrough", "linkify"]
)


def render_markdown(text: str) -> SafeString:
    """Render, then keep only what the allow-list names. The allow-list is the last step."""
    html = _parser.render(text[:LONGEST])
    if len(text) > LONGEST:
        html += f"<p><em>{escape(_('The rest is not shown: this text is too long.'))}</em></p>"
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes={"span": {"hidden-char"}},
        url_schemes=LINK_SCHEMES,
        url_relative="deny",
        link_rel=LINK_REL,
    )
    return mark_safe(clean)  # noqa: S308  # the allow-list has just been applied
