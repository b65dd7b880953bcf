"""What a call that waits brings along from the realtime process, which holds it."""

import uuid
from typing import Protocol

from rest_framework.request import Request

from api.placet.views.reviews import ServedElsewhereError
from inbox.models import Message

AT_ONCE, STREAM = "websocket", "stream"


class WaitingCall(Protocol):
    """A place among those who wait for replies."""

    def enter(self, key_id: uuid.UUID) -> None:
        """Take the place, before anything is stored.

        Raises: Throttled when the key has too many open calls.
        """

    def settle(self, message: Message, mode: str) -> None:
        """Say what was stored, and how its sender waits for the reply."""


def waiting_call(request: Request) -> WaitingCall:
    """Raises: ServedElsewhereError where nobody could hold the call."""
    call: WaitingCall | None = getattr(request._request, "waiting_call", None)  # noqa: SLF001  # set on Django's request
    if call is None:
        raise ServedElsewhereError
    return call
