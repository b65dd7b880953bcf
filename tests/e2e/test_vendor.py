"""What the repository holds of other people's code is what its authors published."""

import json
from pathlib import Path

import pytest

from web.vendor.__main__ import VENDORED, vendor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_vendored_files_are_the_published_ones(tmp_path: Path) -> None:
    vendor(tmp_path)
    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in VENDORED.iterdir()}
    assert fresh.keys() == kept.keys()
    assert json.loads(fresh["vendor.json"]) == json.loads(kept["vendor.json"])
    assert fresh == kept
