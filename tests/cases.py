"""Many cases on the same rows: making the rows takes longer than most of the cases."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

type Test = Callable[..., None]

# For all cases of a test together, on a machine that has much else to do.
SECONDS = 240


def each(names: str, values: Iterable[Any]) -> Callable[[Test], Test]:
    """Like `pytest.mark.parametrize`, in one test: all cases are judged, whichever fail.

    A failure names its case. What a case wrote is taken back; its fixtures are those of all.
    """
    cases = list(values)
    words = names.replace(",", " ").split()
    assert cases, f"no cases for {names}"

    def fold(test: Test) -> Test:
        @functools.wraps(test)
        def folded(subtests: pytest.Subtests, **fixtures: Any) -> None:
            for case in cases:
                named = dict(zip(words, case if len(words) > 1 else (case,), strict=True))
                try:
                    with _taken_back():
                        test(**fixtures, **named)
                except BaseException:  # also what pytest.fail() raises
                    with subtests.test(_shown(named)):  # a report for each that passes is dear
                        raise

        folded.__signature__ = _without(words, test)  # type: ignore[attr-defined]  # pytest reads it
        patient: Test = pytest.mark.timeout(SECONDS)(folded)
        return patient

    return fold


def _without(words: list[str], test: Test) -> inspect.Signature:
    """The fixtures that the test asks for, and what reports each case."""
    asked = inspect.signature(test).parameters
    missing = set(words) - asked.keys()
    assert not missing, f"{test.__name__} does not take {missing}"
    fixtures = [asked[name] for name in asked if name not in words]
    reporter = inspect.Parameter("subtests", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Signature([reporter, *fixtures])


def _shown(named: dict[str, Any]) -> str:
    return ", ".join(f"{name}={str(value)[:80]!r}" for name, value in named.items())


@contextmanager
def _taken_back() -> Iterator[None]:
    """Inside the transaction of a test, if it has one."""
    if not connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
