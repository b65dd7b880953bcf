"""F3 with the objects on a real S3 server; `make chaos-long` runs it."""

from collections.abc import Callable

import pytest

from tests.ceph import Ceph
from tests.chaos.files import kill_at_every_file_point
from tests.chaos.scene import Scene

pytestmark = [pytest.mark.s3, pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
def test_F3_files_on_s3_survive_kills_at_every_point(
    scene: Callable[[str], Scene], ceph: Ceph
) -> None:
    kill_at_every_file_point(scene("F3"), ceph.environment)
