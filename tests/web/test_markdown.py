"""Agents' Markdown: rendered, and harmless."""

import pytest

from web.hidden import revealed_html
from web.markdown import LONGEST, render_markdown
from web.templatetags.pages import revealed
from web.titles import body_below_title, title_in


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("~~gone~~", "<p><s>gone</s></p>"),
        ("# Top", "<h3>Top</h3>"),
        ("- one", "<ul>\n<li>one</li>\n</ul>"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert render_markdown(text).strip() == html


def test_tables_and_bare_links_work() -> None:
    html = render_markdown("| a |\n|---|\n| 1 |\n\nsee https://example.org")
    assert "<td>1</td>" in html
    assert '<a href="https://example.org" rel="noopener noreferrer nofollow">' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](javascript:alert(1))",
        "[x](//evil.example)",
        "[x](/sign-out/)",
        '<span class="btn">x</span>',
        "<style>*{}</style>",
        '[x](https://example.org "\\"onclick=alert(1)")',
    ],
)
def test_what_could_run_or_mislead_is_dropped(text: str) -> None:
    html = render_markdown(text)
    for part in (
        "<script",
        "<img",
        "<style",
        "<span",
        'href="/',
        'href="j',
        'href="d',
        ' onclick="',
    ):
        assert part not in html


def test_pictures_become_links() -> None:
    html = render_markdown("![a chart](https://example.org/chart.png)")
    assert "<img" not in html
    assert '<a href="https://example.org/chart.png"' in html
    assert ">a chart</a>" in html


def test_too_long_text_is_cut_and_says_so() -> None:
    html = render_markdown("a" * (LONGEST + 1))
    assert "The rest is not shown" in html
    assert len(html) < LONGEST + 200


@pytest.mark.parametrize("text", ["a\u202eb", "`a\u202eb`", "```\na\u202eb\n```", "    a\u202eb"])
def test_direction_overrides_are_shown_wherever_they_stand(text: str) -> None:
    assert '<span class="hidden-char">␣U+202E</span>' in render_markdown(text)


@pytest.mark.parametrize(
    "character", ["\u200b", "\u2066", "\ufeff", "\x00", "\x1b", "\u00ad", "\u3164"]
)
def test_hidden_characters_are_shown(character: str) -> None:
    assert f"␣U+{ord(character):04X}" in revealed_html(f"a{character}b")


@pytest.mark.parametrize("text", ["plain", "naïve ünï", "שלום", "👩\u200d💻", "two\nlines\t"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert revealed_html(text) == text


def test_revealed_escapes() -> None:
    assert revealed("<b>\u202e") == '&lt;b&gt;<span class="hidden-char">␣U+202E</span>'


def test_title_is_not_repeated_below_itself() -> None:
    assert body_below_title("# Deploy?\n\nNow.") == "Now."
    assert body_below_title("Deploy?\n\nNow.") == "Now."
    assert body_below_title("Deploy now. Or later.") == "Deploy now. Or later."
    assert body_below_title("Only this.") == ""
    assert body_below_title(None) == ""


def test_hash_inside_a_code_block_is_no_heading() -> None:
    assert title_in("Run it:\n```\n# not a heading\n```") == "Run it:"
