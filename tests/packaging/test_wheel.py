"""`pip install .` gives a server with its pages."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]


def test_wheel_holds_templates_and_static_files(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for needed in ("templates/base.html", "static/app.css", "static/vendor/icons.svg"):
        assert f"config/packaged/{needed}" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "inbox/migrations/0001_initial.py" in names
    for needed in ("plugins/diagram/render.html", "plugins/diagram/icon.svg", "frames/bridge.js"):
        assert f"web/{needed}" in names
    assert not any(name.startswith(("tests/", "bench/", "var/")) for name in names)
