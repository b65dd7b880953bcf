"""The plugins of the journeys: hostile and good ones, that of docs/plugins.md, and a fresh one."""

import re
import shutil
from pathlib import Path

from reviews.plugins.skeleton import write_skeleton
from tests.guides import text_of

OURS = Path(__file__).parent / "plugins"
LISTING = re.compile(r"```(json|html)\n(.*?)```", re.DOTALL)
FILES = {"json": "plugin.json", "html": "render.html"}


def gather_plugins(folder: Path) -> Path:
    """What PLUGINS_DIR holds for the product under test."""
    place = folder / "plugins"
    shutil.copytree(OURS, place, dirs_exist_ok=True)
    if not (place / "fresh").exists():
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
