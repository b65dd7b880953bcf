"""Fault points: what they do, and that each is hurt by a chaos scene."""

import re
from pathlib import Path

import pytest

from delivery.faults import InjectedError, parse_faults
from tests.chaos.points import SCENES

ROOT = Path(__file__).parents[2]
PRODUCT = ("accounts", "api", "attachments", "config", "delivery", "inbox", "reviews", "web")
POINT = re.compile(r"faults\.hit\(\s*([^,)\s]+)")


def points_in_the_source() -> set[str]:
    """The first argument of every call, as it is written."""
    files = [path for package in PRODUCT for path in (ROOT / package).rglob("*.py")]
    return {name for path in files for name in POINT.findall(path.read_text())}


def test_every_point_is_hurt_by_a_scene_and_every_scene_names_points_that_exist() -> None:
    planned = {f'"{point}"' for points in SCENES.values() for point in points}
    assert points_in_the_source() == planned


def test_every_scene_is_a_test() -> None:
    text = "".join(path.read_text() for path in (ROOT / "tests/chaos").glob("test_*.py"))
    assert all(f"def test_{scene}_" in text for scene in SCENES)


def test_fault_acts_on_its_visit_only() -> None:
    fault = parse_faults("finish.before_commit:raise@2")["finish.before_commit"]
    fault.meet("")
    with pytest.raises(InjectedError):
        fault.meet("")
    fault.meet("")


def test_fault_acts_on_every_visit_about_its_word() -> None:
    fault = parse_faults("send.before_connect:raise@poison")["send.before_connect"]
    fault.meet("http://example.org/healthy")
    for _ in range(2):
        with pytest.raises(InjectedError):
            fault.meet("http://example.org/poison")


@pytest.mark.parametrize("text", ["nowhere", "a.b:explode", "a.b:sleep=long"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        parse_faults(text)
