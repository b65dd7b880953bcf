"""Copy the browser's libraries into `static/vendor`, and draw the icon sprite: `make vendor`.

1. `npm ci` installs what package-lock.json pins, without running its scripts.
2. The named files are copied; the sprite is put together from the named icons.
3. `vendor.json` says what is there: name, version, licence, and the SHA-256 of each file.

With a folder as argument it writes there instead, so that a test can compare.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from web.vendor.icons import ICONS

HERE = Path(__file__).parent
VENDORED = HERE.parents[1] / "static" / "vendor"
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
    "LICENSE-htmx.txt": "htmx.org/LICENSE",
    "LICENSE-lucide.txt": "lucide-static/LICENSE",
}
SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def vendor(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        modules = _install(Path(folder))
        target.mkdir(parents=True, exist_ok=True)
        for name, source in FILES.items():
            (target / name).write_text(_without_map((modules / source).read_text()))
        (target / "icons.svg").write_text(_sprite(modules / "lucide-static" / "icons"))
        (target / "vendor.json").write_text(json.dumps(_manifest(target, modules), indent=2) + "\n")


def _install(folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],  # noqa: S607
        cwd=folder,
        check=True,
    )
    return folder / "node_modules"


def _without_map(text: str) -> str:
    """Source maps are not shipped, so nothing may point at them."""
    return re.sub(r"\n?//# sourceMappingURL=.*", "", text).rstrip() + "\n"


def _sprite(icons: Path) -> str:
    symbols = [_symbol(name, (icons / f"{shape}.svg").read_text()) for name, shape in ICONS.items()]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])


def _symbol(name: str, svg: str) -> str:
    found = SHAPES.search(svg)
    if found is None:
        raise ValueError(f"{name} is no SVG")
    shapes = re.sub(r"\s*\n\s*", "", found[1]).replace(" />", "/>")
    return f'<symbol id="i-{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def _manifest(target: Path, modules: Path) -> dict[str, Any]:
    pinned = json.loads((HERE / "package.json").read_text())["dependencies"]
    packages = [json.loads((modules / name / "package.json").read_text()) for name in pinned]
    files = sorted(path for path in target.iterdir() if path.name != "vendor.json")
    return {
        "packages": [
            {key: each[key] for key in ("name", "version", "license")} for each in packages
        ],
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }


if __name__ == "__main__":
    vendor(Path(sys.argv[1]) if len(sys.argv) > 1 else VENDORED)
