"""What agents say, brought to the calls that wait for it.

1. A call takes its seat before its message is stored, so that no reply can come too early.
2. The bus names new and changed messages; those of a channel with seats are loaded once for all of
   them. Nothing is asked of the database while nothing happens.
3. What the bus lost is found by a look at the channel: when it is heard again, and when a call's
   time is up.
"""

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from itertools import batched
from typing import Any

from django.db.models import QuerySet

from api.placet.events import TOPIC, channel_room
from delivery.listener import Listener
from delivery.threads import in_thread
from inbox.models import Message, Sender, StreamState

logger = logging.getLogger(__name__)

EVENTS = frozenset({"message:created", "message:updated"})
LOADED_AT_ONCE = 100
MOST_MISSED = 200  # messages of a channel that a look goes through


class Seat:
    """A call that waits. `reply` is what the agent said so far, None before it speaks."""

    def __init__(self, channel_id: str) -> None:
        self.room = channel_room(channel_id.lower())
        self.message: Message | None = None
        self.reply: Message | None = None
        self.changed = asyncio.Event()
        self._early: list[Message] = []
        self._dismissed = False

    @property
    def is_over(self) -> bool:
        return self.is_answered or self._dismissed

    @property
    def is_answered(self) -> bool:
        return self.reply is not None and self.reply.stream_state != StreamState.STREAMING

    def dismiss(self) -> None:
        """There will be no answer any more."""
        self._dismissed = True
        self.changed.set()

    def settle(self, message: Message) -> None:
        """The message is stored: what was said meanwhile may answer it already."""
        self.message = message
        self.offer(self._early)
        self._early = []

    def offer(self, messages: Iterable[Message]) -> None:
        """Take the message that answers, and each newer state of it."""
        if self.message is None:
            self._early.extend(messages)
            return
        for each in messages:
            if _answers(each, self.message) and not self._has_better(each):
                self.reply = each
                self.changed.set()

    def _has_better(self, other: Message) -> bool:
        """The first words count, unless others say that they are the reply to this message."""
        if self.reply is None or self.reply.pk == other.pk:
            return False
        asked = self.message and self.message.pk
        return self.reply.reply_to_id == asked or other.reply_to_id != asked


def _answers(said: Message, asked: Message) -> bool:
    """A reply to this very message, or else the next words in its channel and thread."""
    if said.reply_to_id is not None:
        return said.reply_to_id == asked.pk
    return said.pk > asked.pk and said.thread_id in {None, asked.thread_id}


class Replies:
    """The seats of this process, by channel."""

    def __init__(self, listener: Listener) -> None:
        self._seats: defaultdict[str, set[Seat]] = defaultdict(set)
        self._named: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._bringing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        listener.pass_on(hear=self._hear, missed=self._missed)

    def take(self, seat: Seat) -> None:
        self._seats[seat.room].add(seat)

    def give_up(self, seat: Seat) -> None:
        self._seats[seat.room].discard(seat)
        if not self._seats[seat.room]:
            del self._seats[seat.room]

    def all(self) -> list[Seat]:
        return [seat for seats in self._seats.values() for seat in seats]

    def _hear(self, notice: dict[str, Any]) -> None:
        if notice["topic"] != TOPIC or notice["event"] not in EVENTS:
            return
        room = notice["rooms"][0]
        if room in self._seats:
            self._named[room][notice["id"]] = None
            if room not in self._bringing:
                self._bringing.add(room)
                self._spawn(self._bring(room))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, room: str) -> None:
        """Load what was named, until nothing more is."""
        while named := self._named.pop(room, None):
            said = await _asked(words_of_agents, list(named))
            for seat in self._seats.get(room, ()):
                seat.offer(said)
        self._bringing.discard(room)

    def _missed(self) -> None:
        for seat in self.all():
            self._spawn(self.look(seat))

    async def look(self, seat: Seat) -> None:
        """Ask the database what a seat may have missed."""
        if seat.message is not None:
            seat.offer(await _asked(words_since, seat.message))


async def _asked[T](look: Callable[[T], list[Message]], about: T) -> list[Message]:
    """What a look found; nothing if it failed: the message is stored, and its call goes on."""
    try:
        return await in_thread(look, about)
    except Exception as failure:  # noqa: BLE001  # calls look again when their time is up
        logger.warning("replies: not loaded: %s", type(failure).__name__)
        return []


def words_of_agents(ids: list[str]) -> list[Message]:
    """Those of the messages that an agent wrote, the oldest first."""
    said: list[Message] = []
    for some in batched(ids, LOADED_AT_ONCE):
        said += _words().filter(pk__in=[uuid.UUID(each) for each in some]).order_by("pk")
    return said


def words_since(message: Message) -> list[Message]:
    """What the agent wrote in a message's channel since then."""
    said = _words().filter(channel_id=message.channel_id, pk__gt=message.pk)
    return list(said.order_by("pk")[:MOST_MISSED])


def _words() -> QuerySet[Message]:
    related = ("thread", "reply_to", "channel")
    return Message.objects.filter(sender=Sender.AGENT).select_related(*related)
