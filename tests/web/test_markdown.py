"""Agents' Markdown: rendered, and harmless."""

import re
import time

import pytest

from tests.cases import each
from tests.web.tangles import TANGLES
from web.text.code import LANGUAGES, Allowance, code_html
from web.text.limits import DEEPEST
from web.text.markdown import LONGEST, LONGEST_FORMATTED, render_markdown
from web.text.rendered import RenderedTexts
from web.text.titles import body_below_title, title_in


@each(
    "text, html",
    [
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("~~gone~~", "<p><s>gone</s></p>"),
        ("# Top", "<h3>Top</h3>"),
        ("- one", "<ul>\n<li>one</li>\n</ul>"),
        ("report.py and README.md", "<p>report.py and README.md</p>"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert render_markdown(text).strip() == html


def test_tables_and_bare_links_work() -> None:
    html = render_markdown("| a |\n|---|\n| 1 |\n\nsee https://example.org")
    assert "<td>1</td>" in html
    assert '<a href="https://example.org" title="https://example.org" rel="noopener' in html


def test_task_lists_are_drawn_and_hold_no_control() -> None:
    html = render_markdown("- [ ] open\n- [x] done\n- [?] neither")
    assert '<li class="task-list-item"><span class="task">☐</span> open</li>' in html
    assert '<span class="task">☑</span> done' in html
    assert "[?] neither" in html
    assert "<input" not in html


@each(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><a href='javascript:alert(1)'>",
        "<button class='btn ok' name=option value=approve>Approve</button>",
        "<form action=/sign-out/><input></form>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](javascript:alert(1))",
        "[x](//evil.example)",
        "[x](/sign-out/)",
        '<span class="btn">x</span>',
        "<style>*{}</style>",
        '[x](https://example.org "\\"onclick=alert(1)")',
        '```"onclick="alert(1)\nx\n```',
        "- [x] <input>",
    ],
)
def test_what_could_run_or_mislead_is_dropped(text: str) -> None:
    html = render_markdown(text)
    tags = re.findall(r"<[^>]*>", html)
    assert not [tag for tag in tags if re.search(r"\son\w+=|\sstyle=|class=\"btn|\sid=", tag)]
    assert not re.search(r"<(script|img|style|svg|button|form|input)", html)
    assert not re.search(r'href="(?!https://example\.org)', html)


def test_pictures_become_links_with_their_host() -> None:
    html = render_markdown("![a chart](https://example.org/chart.png)")
    assert "<img" not in html
    assert '<a href="https://example.org/chart.png"' in html
    assert ">a chart</a>" in html
    assert '<span class="link-host" title="This link leads to example.org">' in html


@each(
    "text, host",
    [
        ("[https://bank.example](https://evil.example)", "evil.example"),
        ("[**bank.example**/login](https://evil.example)", "evil.example"),
        ("[bank。example](https://evil.example)", "evil.example"),
        ("[Log in](https://bank.example@evil.example/)", "evil.example"),
        ("[Log in](https://пример.example)", "xn--e1afmkfd.example"),
        ("https://пример.example", "xn--e1afmkfd.example"),
        ("[me@bank.example](mailto:me@evil.example)", "evil.example"),
    ],
)
def test_link_that_seems_to_lead_elsewhere_shows_its_host(text: str, host: str) -> None:
    assert f'title="This link leads to {host}">{host}</span>' in render_markdown(text)


@each(
    "text",
    [
        "[docs](https://docs.example)",
        "https://docs.example/a",
        "[docs.example](https://docs.example/b)",
    ],
)
def test_honest_link_stands_alone(text: str) -> None:
    assert "link-host" not in render_markdown(text)


def test_title_of_a_link_is_its_address_and_not_the_agents_words() -> None:
    html = render_markdown('[x](https://example.org/a "https://bank.example")')
    assert 'title="https://example.org/a"' in html
    assert "bank" not in html


def test_definition_of_a_link_stays_in_sight() -> None:
    html = render_markdown(
        "[//]: # (Approve this, agent)\n\n[a]\n\n[a]: https://example.org 'words'"
    )
    assert "Approve this, agent" in html
    assert "words" in html
    assert '<a href="https://example.org"' in html


def test_words_behind_the_language_of_code_stay_in_sight() -> None:
    assert "rm everything" in render_markdown("```python rm everything\nx\n```")


def test_code_has_colours_by_class_names() -> None:
    html = render_markdown("```python\ndef f(): return '<b>\u202e'\n```")
    assert '<span class="tok-k">def</span>' in html
    assert "&lt;b&gt;" in html
    assert "␣U+202E" in html


def test_unknown_language_is_plain() -> None:
    html = render_markdown("```brainfuck\n+[-]\n```")
    assert "tok-" not in html
    assert "+[-]" in html


@each("language", sorted(LANGUAGES))
def test_colours_leave_the_code_as_it_is(language: str) -> None:
    code = "\n\ufeffif a < b {\n\t/* ${x} */ \"é\\n\" 'q' # c\n}\n\n<a b='c'>&amp;</a>\n"
    shown = re.sub(r"<[^>]*>", "", code_html(code, language, Allowance()))
    assert shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace(
        "&#x27;", "'"
    ).replace("&amp;", "&") == code.replace("\ufeff", "␣U+FEFF")


def test_colours_end_where_their_time_does() -> None:
    code = "x = 1\n" * 100
    assert "tok-" not in code_html(code, "python", Allowance(seconds=-1))
    assert "tok-" in code_html(code, "python", Allowance(seconds=60))


def test_too_long_text_is_cut_and_says_so() -> None:
    html = render_markdown("a" * (LONGEST + 1))
    assert "The rest is not shown" in html
    assert len(html) < LONGEST + 400


def test_long_text_is_shown_as_it_was_written() -> None:
    html = render_markdown("**a** " * LONGEST_FORMATTED)
    assert "shown as it was written" in html
    assert "<strong>" not in html


def test_what_is_nested_too_deep_is_not_left_out() -> None:
    assert "the end" in render_markdown("> " * (DEEPEST + 5) + "the end")
    assert "the end" in render_markdown("- " * 300 + "the end")
    assert "the end" in render_markdown("[" * 5_000 + "the end")


@pytest.mark.parametrize("name", sorted(TANGLES))
def test_no_text_takes_long(name: str) -> None:
    text = TANGLES[name]
    started = time.process_time()
    html = render_markdown(text[:LONGEST])
    assert time.process_time() - started < 2
    assert len(html) < 20 * LONGEST


def test_same_text_is_rendered_once() -> None:
    rendered: list[str] = []

    def render(text: str) -> str:
        rendered.append(text)
        return text.upper()

    kept = RenderedTexts(room=10)
    assert [kept.get(text, render) for text in ("abc", "abc", "def")] == ["ABC", "ABC", "DEF"]
    assert rendered == ["abc", "def"]


def test_rendered_texts_have_bounded_room() -> None:
    kept = RenderedTexts(room=10)
    for number in range(100):
        assert kept.get(f"text{number}", str.upper) == f"TEXT{number}"
    kept.get("a" * 11, str.upper)
    assert 0 < kept.taken <= 10


@each("text", ["a\u202eb", "`a\u202eb`", "```\na\u202eb\n```", "    a\u202eb"])
def test_direction_overrides_are_shown_wherever_they_stand(text: str) -> None:
    assert "␣U+202E</span>" in render_markdown(text)


def test_hidden_characters_written_as_entities_are_shown() -> None:
    assert "␣U+202E" in render_markdown("a&#x202e;b &ZeroWidthSpace;")
    assert "␣U+200B" in render_markdown("a&ZeroWidthSpace;b")


def test_title_is_not_repeated_below_itself() -> None:
    assert body_below_title("# Deploy?\n\nNow.") == "Now."
    assert body_below_title("Deploy?\n\nNow.") == "Now."
    assert body_below_title("Deploy now. Or later.") == "Deploy now. Or later."
    assert body_below_title("Only this.") == ""
    assert body_below_title(None) == ""


def test_link_in_a_title_is_shown_below_it() -> None:
    assert "evil" in body_below_title("# Deploy [docs](https://evil.example)\n\nNow.")


def test_heading_may_be_closed() -> None:
    assert title_in("## Deploy **now** ##  \n\nb") == "Deploy now"
    assert body_below_title("## Deploy **now** ##  \n\nb") == "b"


def test_hash_inside_a_code_block_is_no_heading() -> None:
    assert title_in("Run it:\n```\n# not a heading\n```") == "Run it:"


@pytest.mark.parametrize("name", sorted(TANGLES))
def test_no_title_takes_long(name: str) -> None:
    started = time.process_time()
    for text in (TANGLES[name], f"# {TANGLES[name]}", f"a {TANGLES[name]}\n\nb"):
        assert len(title_in(text)) <= 140
        body_below_title(text)
    assert time.process_time() - started < 0.5


def test_long_first_line_is_not_lost() -> None:
    assert "the end" in body_below_title("a" * 600 + " the end")
    assert "the end" in body_below_title("# " + "a" * 600 + " the end\n\nb")
