"""What goes over the wire of an event stream."""

import json

from delivery.journal import LiveEvent

HEARTBEAT = b":\n\n"
RETRY_MS = 500


def frame(event: str, *, data: object, id: str = "", retry_ms: int | None = None) -> bytes:  # noqa: A002  # the field's name
    """One event. `id` is where a client goes on after this one."""
    lines = [f"event: {event}", f"data: {json.dumps(data)}"]
    if id:
        lines.append(f"id: {id}")
    if retry_ms is not None:
        lines.append(f"retry: {retry_ms}")
    return ("\n".join(lines) + "\n\n").encode()


COUNTS = frame("counts", data={})


def live(entry_id: str, event: LiveEvent) -> bytes:
    return frame(event.name, data={"id": event.id, "channel": event.channel}, id=entry_id)


def hello(cursor: str) -> bytes:
    """The stream is open; htmx forgets a longer pause that an earlier `bye` asked for."""
    return frame("hello", data={}, id=cursor, retry_ms=RETRY_MS)


def resync(cursor: str) -> bytes:
    """Something may have been missed: look at everything once."""
    return frame("resync", data={}, id=cursor, retry_ms=RETRY_MS)


def bye(reason: str, *, retry_ms: int) -> bytes:
    """The stream ends. Without an id: the client goes on from the last event that it got."""
    return frame("bye", data={"reason": reason}, retry_ms=retry_ms)
