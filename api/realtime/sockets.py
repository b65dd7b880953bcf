"""Socket.IO, namespace `/ws`, as Placet's clients speak it (Placet contract 6).

Everything that a socket says is looked at before it has an effect: who says it, whether the
channel is theirs, its shape, its size and its rate. What does not pass is dropped without an
answer, as in Placet. Each process tells its own sockets; relays reach those of other processes
through the bus.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import redis.asyncio
import socketio
from django.conf import settings
from django.utils import timezone
from socketio.exceptions import ConnectionRefusedError as RefusedError

from accounts.addresses import address_of_scope
from accounts.pause import PAUSE_SECONDS
from accounts.services.sessions import TOPIC as SESSIONS
from api.placet.events import TOPIC, channel_room, workspace_room
from api.placet.serializers.events import AgentCommandsIn, DeltaIn, OAuthStartIn, ProgressIn
from api.realtime.announcer import Announcer
from api.realtime.callers import Caller, admit, reachable, turned_away
from delivery.bus import CHANNEL, message_of
from delivery.threads import in_thread

logger = logging.getLogger(__name__)

NAMESPACE = "/ws"
LARGEST_EVENT = 64 * 1024
LARGEST_PACKET = 2 * LARGEST_EVENT
MOST_SOCKETS_OF_A_CALLER = 100
MOST_ROOMS = 1000
LONGEST_QUEUE = 1000
SWEEP_SECONDS = 10.0

# What an agent may pass on to everybody who listens to its channel, and the shape that it needs.
RELAYED = {
    "message:delta": DeltaIn,
    "message:progress": ProgressIn,
    "agent:commands": AgentCommandsIn,
}

type Handler = Callable[[str, Caller, Any], Awaitable[None]]


class Sockets:
    """The Socket.IO server of this process. `app` is its ASGI application."""

    def __init__(self) -> None:
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,  # what one client sends keeps its order
            max_http_buffer_size=LARGEST_PACKET,
            namespaces=[NAMESPACE],
        )
        self.app = socketio.ASGIApp(self._server)
        self._announcer = Announcer(self._server, NAMESPACE)
        self._callers: dict[str, Caller] = {}
        self._silent: set[str] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._checks: set[asyncio.Task[None]] = set()
        self._redis: redis.asyncio.Redis | None = None
        self._bus_away_until = 0.0
        self._listen_to_clients()

    def start(self) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5
        )
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for sid in list(self._callers):
            await self._server.disconnect(sid, namespace=NAMESPACE)
        await self._server.shutdown()
        if self._redis is not None:
            await self._redis.aclose()

    def hear(self, notice: dict[str, Any]) -> None:
        """A notice of the bus. Those of other topics are for others."""
        if notice["topic"] == TOPIC:
            self._announcer.take(notice)
        elif notice["topic"] == SESSIONS:
            check = asyncio.create_task(self._check_person(notice["user"]))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)

    # Coming and going

    def _listen_to_clients(self) -> None:
        self._server.on("connect", self._connect, namespace=NAMESPACE)
        self._server.on("disconnect", self._disconnect, namespace=NAMESPACE)
        self._on("subscribe:channel", self._subscribe)
        self._on("unsubscribe:channel", self._unsubscribe)
        self._on("channel:read", self._read)
        self._on("ping", self._ping)
        self._on("oauth:start", self._start_login)
        for event, shape in RELAYED.items():
            self._on(event, self._relaying(event, shape))

    def _on(self, event: str, handler: Handler) -> None:
        """Call a handler with the caller and the event's argument, if the rate allows it."""

        async def checked(sid: str, *arguments: Any) -> None:
            caller = self._callers.get(sid)
            if caller is None or not caller.may_send(time.monotonic()):
                return
            try:
                await handler(sid, caller, arguments[0] if arguments else None)
            except msgspec.ValidationError:
                return
            except Exception as failure:  # noqa: BLE001  # a client's event must not end the socket
                logger.warning("sockets: %s failed: %s", event, type(failure).__name__)

        self._server.on(event, checked, namespace=NAMESPACE)

    async def _connect(self, sid: str, environ: Any, auth: Any = None) -> None:
        try:
            address = address_of_scope(environ["asgi.scope"])
            caller = await in_thread(admit, auth, address=address, now=timezone.now())
        except Exception as failure:  # noqa: BLE001  # whatever it was, the client may come again
            logger.warning("sockets: nobody can be admitted: %s", type(failure).__name__)
            raise RefusedError("unavailable") from None
        if caller is None:
            raise RefusedError("unauthorized")
        if self._sockets_of(caller) >= MOST_SOCKETS_OF_A_CALLER:
            raise RefusedError(f"more than {MOST_SOCKETS_OF_A_CALLER} sockets")
        self._callers[sid] = caller
        if not caller.is_agent:
            for workspace_id in caller.workspaces:
                await self._enter(sid, caller, workspace_room(workspace_id))

    def _sockets_of(self, caller: Caller) -> int:
        who = (caller.key_id, caller.user_id)
        return sum(1 for each in self._callers.values() if (each.key_id, each.user_id) == who)

    async def _disconnect(self, sid: str, reason: Any = None) -> None:
        self._callers.pop(sid, None)

    async def _enter(self, sid: str, caller: Caller, room: str) -> None:
        caller.rooms.add(room)
        await self._server.enter_room(sid, room, namespace=NAMESPACE)

    # What clients say

    async def _subscribe(self, sid: str, caller: Caller, channel_id: Any) -> None:
        if len(caller.rooms) < MOST_ROOMS:
            room = await self._room_in_reach(caller, channel_id)
            if room:
                await self._enter(sid, caller, room)

    async def _unsubscribe(self, sid: str, caller: Caller, channel_id: Any) -> None:
        room = await self._room_in_reach(caller, channel_id)
        if room in caller.rooms:
            caller.rooms.discard(room)
            await self._server.leave_room(sid, room, namespace=NAMESPACE)

    async def _read(self, sid: str, caller: Caller, channel_id: Any) -> None:
        """Accepted, as Placet's clients send it. No read marks are kept, so it has no effect."""

    async def _ping(self, sid: str, caller: Caller, argument: Any) -> None:
        await self._server.emit("pong", to=sid, namespace=NAMESPACE)

    def _relaying(self, event: str, shape: type[Any]) -> Handler:
        async def relay(sid: str, caller: Caller, said: Any) -> None:
            if not caller.is_agent or not _is_small(said):
                return
            room = await self._room_in_reach(caller, msgspec.convert(said, shape).channel_id)
            if room:
                await self._tell(event, room, said)

        return relay

    async def _start_login(self, sid: str, caller: Caller, said: Any) -> None:
        """A login that a person has to go through: told to the people of the workspace."""
        if not caller.is_agent or not _is_small(said):
            return
        login = msgspec.convert(said, OAuthStartIn)
        if await self._room_in_reach(caller, login.channel_id):
            (workspace_id,) = caller.workspaces
            room = workspace_room(workspace_id)
            await self._tell("oauth:start", room, msgspec.to_builtins(login))

    async def _room_in_reach(self, caller: Caller, channel_id: Any) -> str:
        """The room of a channel in one of the caller's workspaces; empty for any other."""
        if not isinstance(channel_id, str):
            return ""
        now = time.monotonic()
        known = caller.proven(channel_id, now)
        if known is not None:
            return channel_room(known)
        channel = await in_thread(reachable, caller, channel_id)
        if channel is None:
            return ""
        caller.remember(channel_id, channel.pk, now)
        return channel_room(channel.pk)

    async def _tell(self, event: str, room: str, data: Any) -> None:
        """Tell the sockets of all processes; without the bus, at least those of this one."""
        notice = {"topic": TOPIC, "event": event, "rooms": [room], "data": data}
        if not await self._published(json.dumps(notice)):
            self._announcer.take(notice)

    async def _published(self, notice: str) -> bool:
        """Whether the bus took a notice; after a failure it is left alone for a while."""
        if self._redis is None or time.monotonic() < self._bus_away_until:
            return False
        try:
            await self._redis.publish(CHANNEL, message_of([notice.encode()]))
        except (redis.RedisError, OSError):
            self._bus_away_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("sockets: Redis not reached, relays stay in this process for a while")
            return False
        return True

    # Housekeeping

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception as failure:  # noqa: BLE001  # the next sweep tries again
                logger.warning("sockets: sweep failed: %s", type(failure).__name__)

    async def sweep(self) -> None:
        """End sockets whose key or person may no longer be here, and those that never said who."""
        await self._end_unwelcome(dict(self._callers))
        await self._drop_strangers()

    async def _check_person(self, user_id: str) -> None:
        """Sessions of a person ended: their sockets go at once. The sweep comes if this fails."""
        callers = {sid: each for sid, each in self._callers.items() if str(each.user_id) == user_id}
        try:
            await self._end_unwelcome(callers)
        except Exception as failure:  # noqa: BLE001
            logger.warning("sockets: a check failed: %s", type(failure).__name__)

    async def _end_unwelcome(self, callers: dict[str, Caller]) -> None:
        if not callers:
            return
        gone = await in_thread(turned_away, set(callers.values()), now=timezone.now())
        for sid, caller in callers.items():
            if caller in gone:
                await self._server.disconnect(sid, namespace=NAMESPACE)

    async def _drop_strangers(self) -> None:
        """Connections that are without a name since the last sweep, or that no longer read."""
        named = {eio for _, eio in self._server.manager.get_participants(NAMESPACE, None)}
        connections = dict(self._server.eio.sockets)
        strangers = {eio for eio in connections if eio not in named}
        stuck = {eio for eio, each in connections.items() if each.queue.qsize() > LONGEST_QUEUE}
        for eio in (strangers & self._silent) | stuck:
            await self._server.eio.disconnect(eio)
        self._silent = strangers


def _is_small(said: Any) -> bool:
    try:
        return len(json.dumps(said)) <= LARGEST_EVENT
    except (TypeError, ValueError):
        return False
