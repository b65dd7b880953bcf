"""Ids of this wire: a word for what it names, and the 32 hex digits of its UUID."""

import re
import uuid

CONVERSATION, MESSAGE, PERSON, AGENT = "con_", "msg_", "usr_", "agt_"
NOBODY = uuid.UUID(int=0)
DIGITS = re.compile("[0-9a-f]{8}(-?)[0-9a-f]{4}\\1[0-9a-f]{4}\\1[0-9a-f]{4}\\1[0-9a-f]{12}")


def shown_id(prefix: str, value: uuid.UUID) -> str:
    return f"{prefix}{value.hex}"


def read_id(prefix: str, text: str) -> str:
    """The UUID behind an id, with or without prefix and hyphens, in any case.

    Empty for anything else: no row has such an id.
    """
    bare = text.lower().removeprefix(prefix)
    return str(uuid.UUID(bare)) if DIGITS.fullmatch(bare) else ""
