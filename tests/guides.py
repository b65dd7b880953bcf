"""The programs in docs/*.md, as they stand there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"```(?:python|js|sh)\n(?:(?:#|//) ([\w.]+)\n)?(.*?)```", re.DOTALL)


def text_of(guide: str) -> str:
    return (ROOT / "docs" / guide).read_text()


def programs_in(guide: str) -> dict[str, str]:
    """By the name in their first line. A listing without a name is for reading, not for running."""
    return {name: text for name, text in FENCE.findall(text_of(guide)) if name}
