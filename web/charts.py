"""Bars over time, as an SVG that a template draws: no script, and colours from the stylesheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

WIDTH, HEIGHT = 720, 160
MILLISECONDS = 1000
GAP = 0.24  # of a bar's step
SMALLEST = 1.5  # what is there must be seen


@dataclass(frozen=True)
class Series:
    """One figure for each step of time; None where there is nothing to tell."""

    label: str
    tone: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True)
class Chart:
    """`top` is what the full height means. `rows` are the table's: a label, then each figure."""

    slug: str
    title: str
    summary: str
    top: str
    series: Sequence[Series]
    bars: Sequence[Bar]
    rows: Sequence[tuple[str, Sequence[str]]]
    first: str
    last: str

    width = WIDTH
    height = HEIGHT

    @property
    def empty(self) -> bool:
        return not self.bars


type Text = Callable[[float], str]


def counted(
    slug: str, title: str, summary: str, series: Sequence[Series], labels: Sequence[str]
) -> Chart:
    """How many, in parts that add up."""
    top = number_text(highest_stack(series))
    rows = _table(series, labels, number_text)
    return Chart(slug, title, summary, top, series, stacked(series), rows, labels[0], labels[-1])


def measured(
    slug: str,
    title: str,
    summary: str,
    series: Sequence[Series],
    labels: Sequence[str],
    *,
    text: Text,
) -> Chart:
    """How long or how much, in `text`'s words."""
    rows, top = _table(series, labels, text), text(highest(series))
    return Chart(slug, title, summary, top, series, overlaid(series), rows, labels[0], labels[-1])


def _table(
    series: Sequence[Series], labels: Sequence[str], text: Text
) -> list[tuple[str, list[str]]]:
    columns = zip(*(each.values for each in series), strict=True)
    return [
        (label, ["–" if value is None else text(value) for value in values])  # noqa: RUF001
        for label, values in zip(labels, columns, strict=True)
    ]


def number_text(value: float) -> str:
    return number_format(int(value))


def percent_text(value: float) -> str:
    return _("%(number)d %%") % {"number": round(value)}


def milliseconds_text(value: float) -> str:
    if value < MILLISECONDS:
        return _("%(number)d ms") % {"number": value}
    if value < 60 * MILLISECONDS:
        return _("%(number).1f s") % {"number": value / MILLISECONDS}
    return seconds_text(value / MILLISECONDS)


def seconds_text(value: float) -> str:
    """In the unit that fits: 8 s, 12 min, 3.5 h, 2.1 d."""
    for unit, size in ((_("d"), 86_400), (_("h"), 3600), (_("min"), 60)):
        if value >= size:
            return f"{number_format(round(value / size, 1), decimal_pos=1)} {unit}"
    return _("%(number)d s") % {"number": value}


def stacked(series: Sequence[Series]) -> list[Bar]:
    """The series of a step above each other, the first at the bottom."""
    bars: list[Bar] = []
    most = highest_stack(series)
    for step in range(_steps(series)):
        base = 0.0
        for each in series:
            value = each.values[step] or 0
            if value:
                bars.append(_bar(step, _steps(series), value, base=base, most=most, tone=each.tone))
                base += value
    return bars


def overlaid(series: Sequence[Series]) -> list[Bar]:
    """The series of a step in front of each other, the first behind; all begin at the bottom."""
    most = highest(series)
    return [
        _bar(step, _steps(series), value, base=0, most=most, tone=each.tone)
        for each in series
        for step, value in enumerate(each.values)
        if value is not None
    ]


def highest(series: Sequence[Series]) -> float:
    return max((value or 0 for each in series for value in each.values), default=0)


def highest_stack(series: Sequence[Series]) -> float:
    stacks = zip(*(each.values for each in series), strict=True)
    return max((sum(value or 0 for value in stack) for stack in stacks), default=0)


def _steps(series: Sequence[Series]) -> int:
    return len(series[0].values)


def _bar(step: int, steps: int, value: float, *, base: float, most: float, tone: str) -> Bar:
    scale = HEIGHT / most if most else 0
    height = max(value * scale, SMALLEST)
    each = WIDTH / steps
    return Bar(
        x=round(step * each + each * GAP / 2, 2),
        y=round(max(HEIGHT - base * scale - height, 0), 2),
        width=round(each * (1 - GAP), 2),
        height=round(height, 2),
        tone=tone,
    )
