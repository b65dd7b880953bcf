"""What changed between two texts: lines side by side, with the words that changed in them.

The work is bounded: what both texts begin and end with is set aside, and what is left is compared
only up to a size that takes some milliseconds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from django.utils.translation import gettext as _

from reviews.models import ReviewRequest
from web.outcomes import pretty

CONTEXT = 3
MOST_CHARACTERS = 200_000
MOST_LINES = 800  # changed ones, on each side
WORD_PAIRS = 60_000  # compared in all; after that, only what lines begin and end with
ALIKE = 0.3  # below this, two lines have so little in common that marked words confuse

_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A part of a line that changed, or did not."""

    text: str
    changed: bool = False


@dataclass(frozen=True)
class Side:
    """One line of one of the texts."""

    number: int
    pieces: Sequence[Piece]


@dataclass(frozen=True)
class Row:
    """A line as it was and as it is; one of them is missing where lines were added or removed."""

    before: Side | None = None
    after: Side | None = None
    changed: bool = True
    skipped: int = 0


@dataclass(frozen=True)
class Comparison:
    """All rows that are worth a look, or word that there is too much to compare."""

    rows: Sequence[Row] = ()
    added: int = 0
    removed: int = 0
    too_large: bool = False

    @property
    def same(self) -> bool:
        return not (self.added or self.removed or self.too_large)


@dataclass(frozen=True)
class Section:
    title: str
    comparison: Comparison


@dataclass(frozen=True)
class RevisionDifference:
    """What an agent changed in its request since an earlier revision; maybe nothing."""

    number: int
    sections: Sequence[Section]


def revision_difference(previous: ReviewRequest, current: ReviewRequest) -> RevisionDifference:
    """Compare what a person reads: the message, the question, and the details."""
    compared = [
        Section(_("Message"), compare(_text(previous), _text(current))),
        Section(_("Question"), compare(_question(previous), _question(current))),
        Section(_("Details"), compare(_details(previous), _details(current))),
    ]
    changed = [section for section in compared if not section.comparison.same]
    return RevisionDifference(previous.message.iteration or 1, changed)


def _text(review: ReviewRequest) -> str:
    return review.message.text or ""


def _question(review: ReviewRequest) -> str:
    return f"{review.kind}\n{pretty(review.payload)}"


def _details(review: ReviewRequest) -> str:
    return pretty(review.message.metadata or {})


def compare(before: str, after: str) -> Comparison:
    """Line by line. Texts that are too long or too different are not compared."""
    if before == after:
        return Comparison()
    if len(before) + len(after) > 2 * MOST_CHARACTERS:
        return Comparison(too_large=True)
    old, new = before.split("\n"), after.split("\n")
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    changed_old, changed_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(changed_old), len(changed_new)) > MOST_LINES:
        return Comparison(too_large=True)
    rows = [
        *_unchanged(old[:head], 0, 0),
        *_rows(changed_old, changed_new, head),
        *_unchanged(old[len(old) - tail :], len(old) - tail, len(new) - tail),
    ]
    return Comparison(
        rows=list(_near_changes(rows)),
        added=sum(row.changed and row.after is not None for row in rows),
        removed=sum(row.changed and row.before is not None for row in rows),
    )


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(old, new, strict=False)
    return next(
        (number for number, (one, other) in enumerate(pairs) if one != other),
        min(len(old), len(new)),
    )


def _unchanged(lines: Sequence[str], old_at: int, new_at: int) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        pieces = [Piece(line)]
        yield Row(Side(old_at + number, pieces), Side(new_at + number, pieces), changed=False)


def _rows(old: Sequence[str], new: Sequence[str], offset: int) -> Iterator[Row]:
    work = WORD_PAIRS
    for kind, i, i_end, j, j_end in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            yield from _unchanged(old[i:i_end], offset + i, offset + j)
            continue
        for at_old, at_new in zip_longest(range(i, i_end), range(j, j_end)):
            one = "" if at_old is None else old[at_old]
            other = "" if at_new is None else new[at_new]
            words = _WORD.findall(one), _WORD.findall(other)
            work -= len(words[0]) * len(words[1])
            was, now = _marked(*words, closely=work >= 0)
            yield Row(
                None if at_old is None else Side(offset + at_old + 1, was),
                None if at_new is None else Side(offset + at_new + 1, now),
            )


def _marked(
    old: Sequence[str], new: Sequence[str], *, closely: bool
) -> tuple[list[Piece], list[Piece]]:
    """Two lines in pieces; lines without much in common, or without a partner, are one each."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    old_end, new_end = len(old) - tail, len(new) - tail
    kept = [(0, head, 0, head), (old_end, len(old), new_end, len(new))]
    if closely:
        matcher = SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False)
        blocks = [(head + i, head + j, size) for i, j, size in matcher.get_matching_blocks()]
        kept[1:1] = [(i, i + size, j, j + size) for i, j, size in blocks if size]
    same = sum(not word.isspace() for i, end, *_ in kept for word in old[i:end])
    if same < ALIKE * max(_count(old), _count(new)):
        return [Piece("".join(old))], [Piece("".join(new))]
    return (
        _pieces(old, [(i, end) for i, end, *_ in kept]),
        _pieces(new, [(j, end) for *_, j, end in kept]),
    )


def _count(words: Sequence[str]) -> int:
    return sum(not word.isspace() for word in words)


def _pieces(words: Sequence[str], kept: Sequence[tuple[int, int]]) -> list[Piece]:
    """What was kept, and what lies between. A kept blank between changed words is no gap."""
    pieces: list[Piece] = []
    until = 0
    for start, end in kept:
        between, same = "".join(words[until:start]), "".join(words[start:end])
        if between and _is_blank_after_change(pieces):
            between = pieces[-2].text + pieces[-1].text + between
            del pieces[-2:]
        pieces += [Piece(between, changed=True)] if between else []
        pieces += [Piece(same)] if same else []
        until = end
    return pieces


def _is_blank_after_change(pieces: Sequence[Piece]) -> bool:
    return len(pieces) > 1 and pieces[-2].changed and pieces[-1].text.isspace()


def _near_changes(rows: Sequence[Row]) -> Iterator[Row]:
    """Changed rows with a little around them; the rest is counted."""
    changed = [at for at, row in enumerate(rows) if row.changed]
    shown = {near for at in changed for near in range(max(at - CONTEXT, 0), at + CONTEXT + 1)}
    skipped = 0
    for at, row in enumerate(rows):
        if at in shown:
            if skipped:
                yield Row(changed=False, skipped=skipped)
            skipped = 0
            yield row
        else:
            skipped += 1
    if skipped:
        yield Row(changed=False, skipped=skipped)
