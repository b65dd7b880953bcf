"""The `.env` file: NAME=value lines that fill in what the environment does not say."""

import os
from pathlib import Path


def read_env_file(path: Path) -> None:
    """Set what the file says and the environment does not. A missing file is fine."""
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))
