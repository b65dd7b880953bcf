"""Why there is no preview."""

from enum import StrEnum


class Reason(StrEnum):
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    MACROS = "macros"
    UNSAFE = "unsafe"
    GONE = "gone"


class RefusedError(Exception):
    """This file gets no preview."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
