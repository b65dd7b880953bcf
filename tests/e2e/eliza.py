"""The official client of ElizaOS as it is published, beside a program of ours.

Its one dependency serves its types alone and brings 160 MB along: the package's own files are
fetched, and nothing else.
"""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

PACKAGE = "@elizaos/api-client@1.7.2"
INTEGRITY = (
    "sha512-1v0fBpzHrUUfl1kUUuLuma7r5VSdB2bf8prnGyGsrwbBOMDTZencr6inwm/"
    "NIpzXmzJFv8Q++x0paLd0PoYqBA=="
)


def fetch_client(folder: Path) -> Path:
    """Unpack the package as `npm install` would in `folder`; returns where it lies."""
    for tool in ("node", "npm"):
        assert shutil.which(tool), f"install {tool} (Debian, Ubuntu: apt install nodejs npm)"
    packed = subprocess.run(
        ["npm", "pack", "--json", "--silent", PACKAGE],  # noqa: S607  # wherever it is
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
    )
    (about,) = json.loads(packed.stdout)
    assert about["integrity"] == INTEGRITY
    place = folder / "node_modules" / "@elizaos" / "api-client"
    with tarfile.open(folder / about["filename"]) as archive:
        archive.extractall(folder, filter="data")
    place.parent.mkdir(parents=True)
    (folder / "package").rename(place)
    return place
