"""Plugins for tests, written into a folder of their own."""

import json
from pathlib import Path
from typing import Any

MANIFEST: dict[str, Any] = {"name": "card", "displayName": "Card", "version": "1.0.0"}


def write_plugin(folder: Path, html: str = "<p>Card</p>", **manifest: Any) -> Path:
    """A directory named after the plugin; a field given as None is left out."""
    fields = {name: value for name, value in (MANIFEST | manifest).items() if value is not None}
    place = folder / str(fields.get("name", "card"))
    place.mkdir(parents=True, exist_ok=True)
    (place / "plugin.json").write_text(json.dumps(fields))
    (place / "render.html").write_text(html)
    return place
