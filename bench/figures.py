"""What benchmarks measure: each figure is printed, and kept for the table of `python -m bench`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT_IN = "BENCH_FIGURES"  # the file that figures are added to, a JSON object a line
YARDSTICK = "yardstick"  # instead of a target: what the machine does without us


@dataclass(frozen=True)
class Figure:
    """A value of one round; `target` is P1 to P8, `at_most` or `at_least` what it has to reach."""

    target: str
    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """None where there is nothing to reach."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"at most {readable(self.at_most)} {self.unit}".rstrip()
        if self.at_least is not None:
            return f"at least {readable(self.at_least)} {self.unit}".rstrip()
        return ""


def record(
    target: str,
    what: str,
    value: float,
    unit: str = "",
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> None:
    figure = Figure(target, what, value, unit, at_most, at_least)
    verdict = {True: ": met", False: ": missed", None: ""}[figure.met]
    goal = f" ({figure.goal}{verdict})" if figure.goal else ""
    print(f"{target}, {what}: {readable(value)} {unit}".rstrip() + goal, flush=True)
    if kept_in := os.environ.get(KEPT_IN):
        with Path(kept_in).open("a") as lines:
            lines.write(json.dumps(asdict(figure)) + "\n")


def readable(value: float) -> str:
    """Three digits that say something, and thousands with commas."""
    if value == int(value) or abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}"
