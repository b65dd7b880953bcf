"""Calls that come together are served together, and none of them pays for another."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from api.realtime.turns import LARGEST_TURN, Turns


def test_what_comes_while_a_turn_is_taken_shares_the_next_one() -> None:
    served: list[list[int]] = []
    go_on = threading.Event()

    def serve(items: Sequence[int]) -> list[int | Exception]:
        served.append(list(items))
        assert go_on.wait(10)
        return [10 * item for item in items]

    async def run() -> list[int]:
        turns = Turns(serve)
        calls = [asyncio.ensure_future(turns.join(0))]
        while not served:
            await asyncio.sleep(0)
        calls += [asyncio.ensure_future(turns.join(number)) for number in range(1, 5)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(*calls)

    assert asyncio.run(run()) == [0, 10, 20, 30, 40]
    assert served == [[0], [1, 2, 3, 4]]


def test_turn_has_an_end() -> None:
    sizes: list[int] = []

    def serve(items: Sequence[int]) -> list[int | Exception]:
        sizes.append(len(items))
        return list(items)

    async def run() -> list[int]:
        turns = Turns(serve)
        return await asyncio.gather(*(turns.join(number) for number in range(LARGEST_TURN + 1)))

    assert asyncio.run(run()) == list(range(LARGEST_TURN + 1))
    assert sizes == [LARGEST_TURN, 1]


def test_what_is_wrong_with_one_is_told_to_that_one_only() -> None:
    def serve(items: Sequence[int]) -> list[int | Exception]:
        return [ValueError("no") if item == 1 else item for item in items]

    async def run() -> list[int | BaseException]:
        turns = Turns(serve)
        return await asyncio.gather(*map(turns.join, range(3)), return_exceptions=True)

    first, second, third = asyncio.run(run())
    assert (first, third) == (0, 2)
    assert isinstance(second, ValueError)


def test_turn_that_fails_fails_for_all_and_the_next_one_is_served() -> None:
    broken = [OSError("away")]

    def serve(items: Sequence[int]) -> list[int | Exception]:
        if broken:
            raise broken.pop()
        return list(items)

    async def run() -> int:
        turns = Turns(serve)
        failed = await asyncio.gather(turns.join(1), turns.join(2), return_exceptions=True)
        assert [type(each) for each in failed] == [OSError, OSError]
        return await turns.join(3)

    assert asyncio.run(run()) == 3


def test_call_that_gave_up_takes_nothing_from_the_others() -> None:
    go_on = threading.Event()

    def serve(items: Sequence[int]) -> list[int | Exception]:
        assert go_on.wait(10)
        return list(items)

    async def run() -> int:
        turns = Turns(serve)
        impatient = asyncio.ensure_future(turns.join(1))
        patient = asyncio.ensure_future(turns.join(2))
        await asyncio.sleep(0)
        impatient.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return await patient

    assert asyncio.run(run()) == 2
