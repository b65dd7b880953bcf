"""What FAULTS may say, and that nothing else starts a process with a fault that cannot act."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.faults import Fault, InjectedError, parse_faults

names = st.text(string.ascii_lowercase + "._", min_size=1, max_size=20)
actions = st.sampled_from(["kill", "stop", "raise", "sleep=0", "sleep=0.5"])
words = st.text(string.ascii_letters + "/._-", min_size=1, max_size=20)


@given(st.dictionaries(names, actions, max_size=5))
def test_every_point_keeps_an_action_of_its_own(wanted: dict[str, str]) -> None:
    text = ",".join(f"{point}:{action}" for point, action in wanted.items())
    faults = parse_faults(text)
    assert faults.keys() == wanted.keys()
    assert all((fault.visit, fault.word) == (None, "") for fault in faults.values())


@given(names, st.integers(1, 1000))
def test_number_names_the_visit(point: str, visit: int) -> None:
    fault = parse_faults(f"{point}:raise@{visit}")[point]
    for _ in range(visit - 1):
        fault.meet("anything")
    with pytest.raises(InjectedError):
        fault.meet("anything")
    fault.meet("anything")


@given(names, words)
def test_word_names_what_the_visit_is_about(point: str, word: str) -> None:
    fault = parse_faults(f"{point}:raise@{word}")[point]
    fault.meet("?")
    for _ in range(2):
        with pytest.raises(InjectedError):
            fault.meet(f"about {word} and more")


@given(st.text(max_size=40))
def test_what_is_no_fault_is_refused_when_it_is_read(text: str) -> None:
    try:
        faults = parse_faults(text)
    except (KeyError, ValueError):
        return
    assert all(isinstance(fault, Fault) for fault in faults.values())


@pytest.mark.parametrize(
    "text",
    [
        *("x", "x:", "x:jump", "x:kill=9", "x:raise@", "x:raise@0", "x:raise@²"),
        *("x:sleep", "x:sleep=soon", "x:sleep=-1", "x:sleep=nan"),
    ],
)
def test_fault_that_could_not_act_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        parse_faults(text)
