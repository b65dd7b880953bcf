"""Agents' Markdown as HTML that cannot run, load, fake or hide anything.

1. A text that is too long, too deep or too tangled to format quickly is shown as it was written.
2. Markdown becomes HTML; raw HTML in it stays text, pictures become links.
3. An allow-list of tags and attributes is the last step.
"""

from collections.abc import Sequence
from typing import Any

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from web.text.code import CLASSES, Allowance, code_html
from web.text.hidden import revealed_html, revealed_text
from web.text.limits import TooTangledError, limit_work
from web.text.links import host_of, host_to_show
from web.text.rendered import RenderedTexts
from web.text.tasklists import draw_tasks

LONGEST = 200_000
LONGEST_FORMATTED = 60_000
HEADINGS_START_AT = 3

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "a", "span"),
    *("ul", "ol", "li", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "span": {"title"},
    "table": {"tabindex"},
}
# Names that only this module gives; what an agent writes has no attributes of its own.
ALLOWED_CLASSES = {
    "span": {"hidden-char", "look-alike", "link-host", "task", *CLASSES},
    "li": {"task-list-item"},
    "pre": {"as-written"},
}
LINK_SCHEMES = {"http", "https", "mailto"}
LINK_REL = "noopener noreferrer nofollow"

_kept = RenderedTexts(room=16_000_000)


class Renderer(RendererHTML):
    """Shows hidden characters, keeps headings below the page's own, and loads no picture."""

    def text(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return revealed_html(tokens[idx].content)

    def code_inline(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<code>{revealed_html(tokens[idx].content, code=True)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return _preformatted(revealed_html(tokens[idx].content, code=True))

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        language, _, rest = tokens[idx].info.strip().partition(" ")
        html = code_html(tokens[idx].content, language, env["colours"])
        # What stands behind the language is text of the agent's, too.
        return (f"<p>{revealed_html(rest)}</p>\n" if rest.strip() else "") + _preformatted(html)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link instead: loading a picture would tell its server who reads, and when."""
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        label = self.renderInlineAsText(token.children, options, env) or source
        return f"{_link(source)}{revealed_html(label)}</a>{_host(host_of(source))}"

    def link_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return _link(str(tokens[idx].attrs.get("href", "")))

    def link_close(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        """Behind a link whose words name another place, the place that it leads to."""
        start = next(at for at in range(idx, -1, -1) if tokens[at].type == "link_open")
        words = "".join(token.content for token in tokens[start:idx])
        return f"</a>{_host(host_to_show(words, str(tokens[start].attrs.get('href', ''))))}"

    def task(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        """A check box that is drawn, so that nobody takes it for one of ours."""
        return f'<span class="task">{tokens[idx].content}</span>'

    def table_open(self, *_: Any) -> str:
        return '<table tabindex="0">\n'

    def heading_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<{_lowered(tokens[idx].tag)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"</{_lowered(tokens[idx].tag)}>\n"


def _lowered(tag: str) -> str:
    """`h1` becomes `h3`: the page has its own first and second level."""
    return f"h{min(int(tag[1:]) + HEADINGS_START_AT - 1, 6)}"


def _preformatted(html: str) -> str:
    return f'<pre tabindex="0"><code>{html}</code></pre>\n'


def _link(href: str) -> str:
    """The title is the address, never the agent's words about it."""
    return format_html('<a href="{}" title="{}">', href, revealed_text(href))


def _host(name: str) -> str:
    if not name:
        return ""
    said = _("This link leads to %(host)s") % {"host": name}
    return format_html(' <span class="link-host" title="{}">{}</span>', said, revealed_text(name))


_parser = MarkdownIt(
    "commonmark",
    {"html": False, "linkify": True, "maxNesting": 100},
    renderer_cls=Renderer,
).enable(["table", "strikethrough", "linkify"])
_parser.core.ruler.after("inline", "tasks", draw_tasks)
limit_work(_parser)


def render_markdown(text: str) -> SafeString:
    """HTML of a text, from memory where it was rendered before."""
    return mark_safe(_kept.get(text, _render))  # noqa: S308  # cleaned by the allow-list


def _render(text: str) -> str:
    html = _formatted(text) if len(text) <= LONGEST_FORMATTED else None
    return _clean(_as_written(text) if html is None else html)


def _formatted(text: str) -> str | None:
    try:
        html: str = _parser.render(text, {"colours": Allowance()})
    except (TooTangledError, RecursionError):
        return None
    return html


def _as_written(text: str) -> str:
    said = _("This text is shown as it was written: it is too long or too tangled to format.")
    html = f'<p><em>{escape(said)}</em></p><pre class="as-written" tabindex="0">'
    html += f"{revealed_html(text[:LONGEST])}</pre>"
    if len(text) > LONGEST:
        rest = _("The rest is not shown: this text is too long.")
        html += f"<p><em>{escape(rest)}</em></p>"
    return html


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=ALLOWED_CLASSES,
        url_schemes=LINK_SCHEMES,
        url_relative="deny",
        link_rel=LINK_REL,
    )
