"""F3: no row without its object, and no object without its row, whoever dies in between."""

from collections.abc import Callable

import pytest

from tests.chaos.files import kill_at_every_file_point
from tests.chaos.scene import Scene

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_F3_files_survive_kills_at_every_point(scene: Callable[[str], Scene]) -> None:
    kill_at_every_file_point(scene("F3"), {})
