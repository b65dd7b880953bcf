"""Counts over time, grouped by the database alike on SQLite and PostgreSQL.

1. The database says which step a time belongs to by comparing it with where the steps begin, so
   that days are those of the person's zone, however long. Django's `TruncDay` calls Python for
   every row on SQLite.
2. Durations are cut to two figures, so that their distribution is a few hundred groups however many
   rows there are; medians are read from it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Case, F, Func, IntegerField, Value, When
from django.db.models.lookups import LessThan
from django.utils import timezone
from django.utils.formats import date_format

from web.times import day_format

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Epoch(Func):
    """A time as whole seconds since 1970."""

    arity = 1
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="UNIXEPOCH(%(expressions)s)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"
        return self.as_sql(compiler, connection, template=template, **context)


def seconds_between(start: str, end: str) -> Any:
    return Epoch(F(end)) - Epoch(F(start))


def two_figures(number: Any) -> Case:
    """12345 as 12000: integers divide without a remainder on both databases."""
    cuts = [(100, 1), (1000, 10), (10_000, 100), (100_000, 1000), (1_000_000, 10_000)]
    whens = [
        When(LessThan(number, Value(below)), then=number / Value(by) * Value(by))
        for below, by in cuts
    ]
    rest = number / Value(100_000) * Value(100_000)
    return Case(*whens, default=rest, output_field=IntegerField())


def _step_in(column: str, starts: Sequence[datetime], first: int) -> Any:
    if len(starts) == 1:
        return Value(first)
    half = len(starts) // 2
    earlier = When(**{f"{column}__lt": starts[half]}, then=_step_in(column, starts[:half], first))
    later = _step_in(column, starts[half:], first + half)
    return Case(earlier, default=later, output_field=IntegerField())


@dataclass(frozen=True)
class Steps:
    """The hours or days that a chart shows, in the person's zone; the last one is not over."""

    starts: Sequence[datetime]
    hourly: bool

    @classmethod
    def until(cls, now: datetime, *, hours: int = 0, days: int = 0) -> "Steps":
        local = timezone.localtime(now)
        if hours:
            # Hours of UTC: none is skipped or comes twice when a clock is set.
            last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return cls([last - HOUR * back for back in range(hours - 1, -1, -1)], hourly=True)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls([midnight - DAY * back for back in range(days - 1, -1, -1)], hourly=False)

    @property
    def since(self) -> datetime:
        return self.starts[0]

    def number_of(self, column: str) -> Any:
        """Which step a time belongs to, by halves: five comparisons find one of thirty."""
        return _step_in(column, self.starts, 0)

    @property
    def labels(self) -> list[str]:
        form = "H:i" if self.hourly else day_format()
        return [date_format(timezone.localtime(start), form) for start in self.starts]


class Tally:
    """How often each value of each kind came, step by step."""

    def __init__(self, steps: Steps) -> None:
        self._found: dict[str, list[Counter[int]]] = defaultdict(
            lambda: [Counter() for _ in steps.starts]
        )

    def add(self, kind: str, step: int, number: int, value: int = 0) -> None:
        self._found[kind][step][value] += number

    def counts(self, *kinds: str) -> list[float]:
        columns = [self._found[kind] for kind in kinds]
        return [sum(step.total() for step in steps) for steps in zip(*columns, strict=True)]

    def quantiles(self, share: float, *kinds: str) -> list[float | None]:
        return [quantile(step, share) for step in self._together(kinds)]

    def quantile(self, share: float, *kinds: str) -> float | None:
        """Of all steps together."""
        return quantile(sum(self._together(kinds), Counter()), share)

    def _together(self, kinds: Iterable[str]) -> list[Counter[int]]:
        columns = [self._found[kind] for kind in kinds]
        return [sum(steps, Counter()) for steps in zip(*columns, strict=True)]


def quantile(found: Counter[int], share: float) -> float | None:
    """The smallest value that at least this share of all does not exceed; None for nothing."""
    passed, needed = 0, share * found.total()
    for value in sorted(found):
        passed += found[value]
        if passed >= needed:
            return value
    return None
