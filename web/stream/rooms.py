"""The open streams of one workspace, and its journal read once for all of them."""

import asyncio
import logging
from collections.abc import Iterable

from delivery.journal import JournalAwayError, Reader, place_of
from web.stream import frames
from web.stream.streams import Stream

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
COUNT_SECONDS = 1.0
# Behind more than this, looking at everything once is less work than following each.
MOST_REPLAYED = 100
COUNTED = frozenset(
    {"review-created", "review-changed", "message-created", "message-deleted", "channel-changed"}
    | {"read-changed"}
)


class Room:
    """Reads on when told to, and tells its streams in the order of the journal.

    `_last` is the last entry that was told. Empty, it is not known: then, as when it is no longer
    kept, everybody has to look at everything.
    """

    def __init__(self, workspace_id: str, reader: Reader) -> None:
        self.workspace_id = workspace_id
        self.streams: set[Stream] = set()
        self._reader = reader
        self._last = ""
        self._turn = asyncio.Lock()
        self._news = False
        self._looking: asyncio.Task[None] | None = None
        self._to_count: set[Stream] = set()
        self._count_timer: asyncio.TimerHandle | None = None

    async def enter(self, stream: Stream, cursor: str) -> None:
        """Open a stream behind `cursor`: with what it missed, or with the word that it missed some.

        Reading and entering take turns, so that no event falls between or comes twice.
        """
        async with self._turn:
            try:
                await self._read()
                first = await self._first(cursor)
            except JournalAwayError:
                self.forget()
                first = [frames.hello("")]
            stream.open(*first)

    async def _first(self, cursor: str) -> list[bytes]:
        if not cursor:
            return [frames.hello(self._last)]
        missed = await self._reader.after(self.workspace_id, cursor)
        if missed is None or len(missed) > MOST_REPLAYED:
            return [frames.resync(self._last)]
        until = place_of(self._last)
        return [frames.hello(cursor)] + [
            frames.live(entry.id, entry.event) for entry in missed if entry.place <= until
        ]

    def look(self) -> None:
        """The journal went on."""
        self._news = True
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def forget(self) -> None:
        """Something may have been missed: all streams are told so, once Redis answers."""
        self._last = ""
        self.look()

    def close(self) -> None:
        for pending in (self._looking, self._count_timer):
            if pending is not None:
                pending.cancel()

    async def _look(self) -> None:
        try:
            while self._news:
                self._news = False
                await self._look_once()
        finally:
            self._looking = None

    async def _look_once(self) -> None:
        try:
            async with self._turn:
                await self._read()
        except JournalAwayError:
            self._last, self._news = "", True
            await asyncio.sleep(AGAIN_SECONDS)

    async def _read(self) -> None:
        """Raises: JournalAwayError."""
        entries = await self._reader.after(self.workspace_id, self._last)
        if entries is None:
            self._last = await self._reader.tip(self.workspace_id)
            self._tell(frames.resync(self._last), self.streams)
            return
        for entry in entries:
            self._last = entry.id
            heard = {each for each in self.streams if _concerns(entry.event.user_id, each)}
            self._tell(frames.live(entry.id, entry.event), heard)
            if entry.event.name in COUNTED:
                self._count_soon(heard)

    @staticmethod
    def _tell(frame: bytes, streams: Iterable[Stream]) -> None:
        for stream in streams:
            stream.put(frame)

    def _count_soon(self, streams: set[Stream]) -> None:
        """Numbers changed: told at once, then at most once a second."""
        self._to_count |= streams
        if self._count_timer is None:
            self._tell_counts()

    def _tell_counts(self) -> None:
        self._count_timer = None
        if self._to_count:
            self._tell(frames.COUNTS, self._to_count)
            self._to_count.clear()
            loop = asyncio.get_running_loop()
            self._count_timer = loop.call_later(COUNT_SECONDS, self._tell_counts)


def _concerns(user_id: str, stream: Stream) -> bool:
    return not user_id or user_id == str(stream.visitor.user_id)
