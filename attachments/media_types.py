"""What a client says a file is."""

import re

UNKNOWN_TYPE = "application/octet-stream"
LONGEST = 127
_SHAPE = re.compile(r"[a-z0-9][a-z0-9.+_-]*/[a-z0-9][a-z0-9.+_-]*")


def claimed_type(text: str | None) -> str:
    """The type that the client claims, if it can be one."""
    plain = (text or "").partition(";")[0].strip().lower()
    return plain if len(plain) <= LONGEST and _SHAPE.fullmatch(plain) else UNKNOWN_TYPE
