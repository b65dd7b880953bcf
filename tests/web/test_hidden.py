"""What deceives a reader is marked, and what only looks unusual is left alone."""

import time

import pytest

from tests.cases import each
from tests.web.tangles import TANGLES
from web.templatetags.pages import initials, plain_revealed, revealed, suffix
from web.text.hidden import MOST_MARKERS, isolated_html, revealed_html, revealed_text, warnings_in


def marker(code: str, name: str) -> str:
    return f'<span class="hidden-char" title="{name}">␣{code}</span>'


@each(
    "character, name",
    [
        ("\u202e", "right-to-left override"),
        ("\u2066", "left-to-right isolate"),
        ("\u200f", "right-to-left mark"),
        ("\u061c", "Arabic direction mark"),
        ("\u200b", "zero-width space"),
        ("\u200c", "zero-width non-joiner"),
        ("\u200d", "zero-width joiner"),
        ("\u2060", "word joiner"),
        ("\u2063", "invisible comma"),
        ("\ufeff", "zero-width no-break space"),
        ("\u00ad", "soft hyphen"),
        ("\x00", "control character"),
        ("\x1b", "control character"),
        ("\x85", "control character"),
        ("\u2028", "line separator"),
        ("\u3164", "Hangul filler"),
        ("\u115f", "hangul choseong filler"),
        ("\u2800", "blank braille pattern"),
        ("\ufe0f", "variation selector-16"),
        ("\U000e0100", "variation selector-17"),
        ("\U000e0041", "tag character"),
        ("\ue000", "private-use character"),
        ("\ud800", "half of a surrogate pair"),
        ("\u0378", "unassigned character"),
        ("\u2003", "unusual space"),
    ],
)
def test_hidden_characters_are_named_where_they_stand(character: str, name: str) -> None:
    code = f"U+{ord(character):04X}"
    assert revealed_html(f"a{character}b") == f"a{marker(code, name)}b"
    assert revealed_text(f"a{character}b") == f"a␣{code}␣b"
    (warning,) = warnings_in(f"a{character}b")
    assert f"1 character that cannot be seen for what it is ({name} {code})" in warning


@each(
    "text",
    [
        "plain",
        "naïve ünï",
        "e\u0301 decomposed, Vie\u0323\u0302t",
        "שלום",
        "مرحبا",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200dष क्\u200cष",
        "👩\u200d💻",
        "👨🏽\u200d🚀",
        "❤️\u200d🔥",
        "✈️ ©️ 1\ufe0f\u20e3",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "葛\U000e0100城",
        "two\nlines\t",
        "10\u00a0000 km, l\u202fan",
        "日本\u3000語",
        "Привет, мир",
        "Ωmega? No: 5 kΩ, ΔT, 3 μs, χ²",
        "müller.de",
        "отчёт.pdf",
        "日本語.jp",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert revealed_html(text) == text
    assert revealed_text(text) == text
    assert warnings_in(text) == []


@each(
    "text",
    [
        "a\u200db",
        "a\u200cb",
        "x\ufe0f",
        "👩\u200d",
        "🏴\U000e0061\U000e007f",
        "a\U000e0100",
        "a\u00a0\u00a0b",
    ],
)
def test_joiners_and_selectors_out_of_place_are_shown(text: str) -> None:
    assert "hidden-char" in revealed_html(text)


def test_run_of_one_character_is_one_marker() -> None:
    assert revealed_text("a" + "\u200b" * 50_000) == "a␣U+200B ×50000␣"  # noqa: RUF001


def test_marks_piled_on_a_letter_are_cut() -> None:
    html = revealed_html("Z" + "\u0301\u0302" * 20 + "!")
    assert html.count("\u0301") + html.count("\u0302") == 4
    assert "␣36 marks" in html


def test_space_that_is_not_ascii_matters_in_code() -> None:
    assert revealed_html("rm\u00a0-r", code=True) == f"rm{marker('U+00A0', 'no-break space')}-r"


@each(
    "text, note",
    [
        ("p\u0430ypal", "Latin+Cyrillic"),
        ("\u0420ay\u0420al", "Latin+Cyrillic"),
        ("\u0432a\u043c", "Latin+Cyrillic"),
        ("g\u03bf\u03bfgle", "Latin+Greek"),
        ("\u13aapple", "Latin+Cherokee"),
        ("https://\u0430pple.com/x", "xn--pple-43d.com"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.com", "xn--80ak6aa92e.com"),
        ("me@p\u0430ypal.com", "xn--pypal-4ve.com"),
    ],
)
def test_letters_of_another_alphabet_are_marked(text: str, note: str) -> None:
    html = revealed_html(text)
    assert '<span class="look-alike" title="' in html
    assert f">{note}</span>" in html
    assert f"[{note}]" in revealed_text(text)
    (warning,) = warnings_in(text)
    assert "it may imitate another name" in warning


def test_look_alike_letter_says_what_it_looks_like() -> None:
    assert 'title="Cyrillic letter that looks like “a”">\u0430<' in revealed_html("p\u0430ypal")


def test_look_alike_hidden_in_markdown_signs_is_warned_about() -> None:
    assert "Latin+Cyrillic" in warnings_in("p**\u0430**ypal")[0]


def test_warnings_are_few() -> None:
    words = " ".join(f"p\u0430ypal{number}" for number in range(50))
    hidden = "".join(f"a{character}" for character in "\u200b\u202e\u2066\u00ad\ufeff" * 9)
    found = warnings_in(words, hidden, None, "plain")
    assert len(found) == 5
    assert "45 characters" in found[0]
    assert found[0].endswith("They are marked where they stand.")


def test_warning_holds_nothing_hidden_itself() -> None:
    for warning in warnings_in("p\u0430ypal\u0301\u0302\u0301\u0302\u0301\u202e"):
        assert revealed_text(warning).count("␣") == 0


def test_flood_of_markers_is_cut_and_says_so() -> None:
    html = revealed_html("a\u200b" * 100_000)
    assert html.count("hidden-char") == MOST_MARKERS
    assert "more characters are not shown" in html


def test_right_to_left_text_is_isolated() -> None:
    assert isolated_html("שלום") == "<bdi>שלום</bdi>"
    assert isolated_html("plain") == "plain"


def test_filters_escape() -> None:
    assert revealed("<b>\u202e") == f"&lt;b&gt;{marker('U+202E', 'right-to-left override')}"
    assert plain_revealed("<b>\u202e") == "<b>␣U+202E␣"


def test_initials_and_endings_can_be_seen() -> None:
    assert initials("\u3164\u202eab") == "AB"
    assert initials("\u3164") == "?"
    assert suffix("report.\u0440df") == ""


@pytest.mark.parametrize("name", sorted(TANGLES))
def test_no_text_takes_long_to_look_through(name: str) -> None:
    started = time.process_time()
    revealed_html(TANGLES[name])
    warnings_in(TANGLES[name])
    assert time.process_time() - started < 2
