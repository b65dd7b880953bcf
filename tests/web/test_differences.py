"""What changed between two revisions, and how a page shows it."""

import random
import time
from collections.abc import Iterable

import pytest
from django.test import Client

from inbox.models import Channel
from reviews.models import ReviewRequest
from tests.factories import make_review
from tests.web.card import answer
from web.text.differences import MOST_LINES, Comparison, Row, compare, revision_difference

PLAN = "\n".join(f"{number}. step number {number}" for number in range(1, 41))


def words(row: Row) -> tuple[str, str]:
    """A changed row, with its changed parts in brackets."""

    def shown(side: object) -> str:
        pieces = getattr(side, "pieces", [])
        return "".join(f"[{piece.text}]" if piece.changed else piece.text for piece in pieces)

    return shown(row.before), shown(row.after)


def changed(comparison: Comparison) -> list[tuple[str, str]]:
    return [words(row) for row in comparison.rows if row.changed]


def test_same_text_has_no_difference() -> None:
    assert compare(PLAN, PLAN).same


def test_changed_words_are_marked_inside_their_line() -> None:
    found = compare(PLAN, PLAN.replace("step number 20", "a better number 20"))
    assert changed(found) == [("20. [step] number 20", "20. [a better] number 20")]
    assert (found.added, found.removed) == (1, 1)


def test_lines_keep_their_numbers_and_the_rest_is_counted() -> None:
    rows = compare(PLAN, PLAN.replace("step number 20", "other")).rows
    assert [row.skipped for row in rows if row.skipped] == [16, 17]
    (row,) = [row for row in rows if row.changed]
    assert row.before is not None
    assert row.after is not None
    assert (row.before.number, row.after.number) == (20, 20)


def test_added_and_removed_lines_have_no_partner() -> None:
    assert changed(compare("a\nb\nc", "a\nc")) == [("b", "")]
    assert changed(compare("a\nc", "a\nb\nc")) == [("", "b")]
    assert compare("a\nc", "a\nb\nc").added == 1


def test_lines_with_little_in_common_are_not_marked() -> None:
    assert changed(compare("Deploy at noon", "The migration failed")) == [
        ("Deploy at noon", "The migration failed")
    ]


def test_all_pieces_together_are_both_texts() -> None:
    chance = random.Random(7)  # noqa: S311  # a fixed sequence
    for _ in range(200):
        old, new = (
            "\n".join("ab c"[chance.randrange(4)] * chance.randrange(4) for _ in range(12))
            for _ in range(2)
        )
        rows = [row for row in compare(old, new).rows if not row.skipped]
        for row in rows:
            for side, lines in ((row.before, old.split("\n")), (row.after, new.split("\n"))):
                if side is not None:
                    text = "".join(piece.text for piece in side.pieces)
                    assert text == lines[side.number - 1]


def _numbers(numbers: Iterable[int], word: str = "") -> str:
    return "\n".join(f"{word}{number}" for number in numbers)


HARD = {
    "20,000 lines": (_numbers(range(20_000)), _numbers(range(20_000, 0, -1))),
    "backwards": (_numbers(range(MOST_LINES)), _numbers(range(MOST_LINES, 0, -1))),
    "repeated": ("\n".join(["x", *["a"] * 199]), "\n".join(["a", "b"] * 99)),
    "long lines": (("a b " * 5_000 + "\n") * 20, ("b a a " * 3_000 + "\n") * 20),
    "one line": ("a" * 1_000_000, "b" * 1_000_000),
    "shifted words": tuple(
        "".join(f"{number + by} " * 40 + "\n" for number in range(790)) for by in (0, 1)
    ),
}


@pytest.mark.parametrize(("old", "new"), HARD.values(), ids=HARD)
def test_no_pair_of_texts_takes_long(old: str, new: str) -> None:
    started = time.process_time()
    found = compare(old, new)
    assert time.process_time() - started < 2
    assert not found.same


def test_too_much_change_says_so() -> None:
    old, new = (_numbers(range(MOST_LINES + 1), word) for word in ("a", "b"))
    assert compare(old, new).too_large


def test_long_text_with_a_small_change_is_compared() -> None:
    old = "\n".join(map(str, range(20_000)))
    assert changed(compare(old, old.replace("\n10000\n", "\nx\n"))) == [("10000", "x")]


@pytest.fixture
def chain(browser: Client, channel: Channel) -> tuple[ReviewRequest, ReviewRequest]:
    """A first revision that was sent back, and a second one with another text and payload."""
    options = {"options": ["approve", "revise"], "description": "a\u202eb"}
    first = make_review("approval", options, channel=channel, text=f"# Plan\n\n{PLAN}")
    answer(browser, first, option="revise", feedback="Shorter")
    second = make_review(
        "approval",
        options | {"description": "c\u202ed"},
        channel=channel,
        text=f"# Plan\n\n{PLAN.replace('step number 20', '<b>other</b> number 20')}",
        iteration_of=first.message,
    )
    return first, second


def test_revisions_are_compared_by_text_and_question(
    chain: tuple[ReviewRequest, ReviewRequest],
) -> None:
    first, second = chain
    first.message.refresh_from_db()
    found = revision_difference(first, second)
    assert found.number == 1
    assert [section.title for section in found.sections] == ["Message", "Question"]


def test_second_revision_shows_what_changed(
    browser: Client, chain: tuple[ReviewRequest, ReviewRequest]
) -> None:
    first, second = chain
    page = browser.get(f"/inbox/{second.pk}/").content.decode()
    assert "What changed since revision 1" in page
    assert '<span class="sr">Removed: </span>' in page
    assert "<del>step</del>" in page
    assert "<b>other" not in page
    assert page.count("␣U+202E") >= 2
    assert "\u202e" not in page
    assert "What changed since" not in browser.get(f"/inbox/{first.pk}/").content.decode()


def test_written_text_is_compared_with_what_the_agent_prepared(
    browser: Client, channel: Channel
) -> None:
    review = make_review("text-input", {"prefill": "Dear Noor,\nwe regret"}, channel=channel)
    answer(browser, review, text="Dear Noor,\nwe are happy")
    page = browser.get(f"/inbox/{review.pk}/").content.decode()
    assert "What was changed in the prepared text" in page
    assert "<ins>are happy</ins>" in page


def test_text_that_was_left_alone_has_no_comparison(browser: Client, channel: Channel) -> None:
    review = make_review("text-input", {"prefill": "Dear Noor"}, channel=channel)
    answer(browser, review, text="Dear Noor")
    assert b"What was changed" not in browser.get(f"/inbox/{review.pk}/").content
