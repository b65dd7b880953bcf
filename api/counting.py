"""All that one call counts against its limits, in one round trip.

`limits` takes one for each hit and one for each look. Here its own scripts run in one, so that what
is stored is as it stores it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from limits import RateLimitItem
from limits.storage import RedisStorage

type Limited = tuple[RateLimitItem, str]


@dataclass(frozen=True)
class Standing:
    """How the first limit of a call stands, and which of its limits have room for it."""

    rooms: Sequence[bool]
    remaining: int
    reset_seconds: int


def _function(name: str, script: bytes | str) -> str:
    text = script if isinstance(script, str) else script.decode()
    return f"local function {name}(KEYS, ARGV)\n{text}\nend\n"


SCRIPT = (
    _function("hit", RedisStorage.SCRIPT_ACQUIRE_SLIDING_WINDOW)
    + _function("look", RedisStorage.SCRIPT_SLIDING_WINDOW)
    + """
local rooms = {}
for place = 1, #KEYS, 2 do
    local keys, arguments = {KEYS[place], KEYS[place + 1]}, {ARGV[place], ARGV[place + 1], 1}
    rooms[#rooms + 1] = hit(keys, arguments) and 1 or 0
end
return {rooms, look({KEYS[1], KEYS[2]}, {ARGV[2]})}
"""
)


class CallStorage(RedisStorage):
    """The counters in Redis."""

    def initialize_storage(self, _uri: str) -> None:
        super().initialize_storage(_uri)
        self.lua_call = self.get_connection().register_script(SCRIPT.encode())

    def count(self, limited: Sequence[Limited]) -> Standing:
        """Count one call against each of these limits; all are counted, whatever the others say."""
        keys: list[str] = []
        arguments: list[int] = []
        for limit, who in limited:
            key = limit.key_for(who)
            windows = self._previous_window_key(key), self._current_window_key(key)
            keys += [self.prefixed_key(window) for window in windows]
            arguments += [limit.amount, limit.get_expiry()]
        rooms, window = self.lua_call(keys, arguments)
        return _standing([bool(room) for room in rooms], limited[0][0], window)


def _standing(rooms: Sequence[bool], limit: RateLimitItem, window: Sequence[bytes]) -> Standing:
    """As `limits` reckons: the window before counts for what is left of it."""
    before, before_left, current, current_left = (max(0, int(each or 0)) for each in window)
    milliseconds = limit.get_expiry() * 1000
    used = before * before_left // milliseconds + current
    resets = [current_left % milliseconds or milliseconds] if current else []
    if before:
        resets.append(math.ceil(before_left % (milliseconds / before)))
    reset_seconds = max(1, math.ceil(min(resets, default=0) / 1000))
    return Standing(rooms, max(0, limit.amount - used), reset_seconds)
