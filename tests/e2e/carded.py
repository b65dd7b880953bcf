"""The plugins of the journeys: hostile and good ones, that of docs/plugins.md, and a fresh one."""

import atexit
import functools
import re
import shutil
import tempfile
from pathlib import Path

from reviews.plugins.skeleton import write_skeleton
from tests.guides import text_of

OURS = Path(__file__).parent / "plugins"
LISTING = re.compile(r"```(json|html)\n(.*?)```", re.DOTALL)
FILES = {"json": "plugin.json", "html": "render.html"}


@functools.cache
def gather_plugins() -> Path:
    """What PLUGINS_DIR holds for the products under test, for as long as this process lives."""
    place = Path(tempfile.mkdtemp(prefix="licet-plugins-"))
    atexit.register(shutil.rmtree, place)
    shutil.copytree(OURS, place, dirs_exist_ok=True)
    write_skeleton(place, "fresh")
    write_listed(place / "rollout")
    return place


def write_listed(place: Path) -> Path:
    """The plugin of docs/plugins.md, as it stands there."""
    listed = dict(reversed(LISTING.findall(text_of("plugins.md"))))
    place.mkdir(parents=True, exist_ok=True)
    for kind, name in FILES.items():
        (place / name).write_text(listed[kind])
    return place
