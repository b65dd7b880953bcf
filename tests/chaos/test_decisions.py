"""H1 and H2: a review is decided once, and a repeated press is the same decision."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.chaos.history import Told
from tests.chaos.scene import Scene, at_once
from tests.chaos.stack import PASSWORD
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

type Open = Callable[[str], Scene]
BROWSERS = 20


def test_H1_review_is_decided_once_and_the_others_learn_by_whom(scene: Open, *, full: bool) -> None:
    act = scene("H1")
    channel = act.channel(act.receiver())
    browsers = [act.person(number) for number in range(BROWSERS)]
    for browser in browsers:
        browser.browser.cookies.clear()
    at_once([partial(browser.sign_in, PASSWORD) for browser in browsers])
    rounds = 10 if full else 1
    for number in range(rounds):
        asked = act.agent().ask(channel.id, f"H1-{number}")
        forms = at_once([partial(browser.open_form, asked.about) for browser in browsers])
        presses = at_once(
            [
                partial(browser.press, asked.about, form or {})
                for browser, form in zip(browsers, forms, strict=True)
            ]
        )
        won = [press for press in presses if press.told is Told.YES]
        lost = [press for press in presses if press.told is Told.NO]
        assert (len(won), len(lost)) == (1, BROWSERS - 1)
        (review,) = [r for r in act.ledger().reviews if r["message_id"] == asked.about]
        winner = browsers[presses.index(won[0])].email.split("@")[0]
        assert all(
            press.status == 409 and f"{winner} answered this" in press.text for press in lost
        )
        assert review["decided_by_id"] is not None
    figures = act.end(
        note=f"{rounds} reviews, {BROWSERS} browsers at once: one 303, {BROWSERS - 1} x 409 "
        "that name who was first"
    )
    assert figures.acked == figures.distinct == rounds


def test_H2_double_press_is_one_decision_and_success_each_time(scene: Open, *, full: bool) -> None:
    act = scene("H2")
    channel = act.channel(act.receiver())
    many = 50 if full else 5
    for number in range(many):
        asked = act.agent().ask(channel.id, f"H2-{number}")
        form = act.person().open_form(asked.about) or {}
        twice = at_once([partial(act.person().press, asked.about, form) for _ in range(2)])
        assert happens_within(10, lambda: channel.receiver.entries)
        later = act.person().press(asked.about, form)
        assert [press.status for press in (*twice, later)] == [303, 303, 303]
    figures = act.end(note=f"{many} forms sent twice at once and once later: 303 each time")
    assert figures.acked == figures.distinct == many
    assert figures.dup == 0
