"""The engine of a worker process: one thread talks to the database, many wait for receivers.

A turn is one short transaction: write down what landed, claim lanes while there are free places,
start what is due on them. Requests leave after its commit. So no transaction is open while a
receiver is called, many results share one commit, and a place that gets free is filled at once,
whatever its neighbours wait for.

At least once: a process that dies between a receiver's answer and the next turn's commit has its
attempts repeated by whoever takes the lane, with the same event ids and the same bytes.
"""

import functools
import logging
import math
import os
import queue
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from delivery import egress, faults
from delivery.lanes import extend, release, release_others
from delivery.recording import record, recover
from delivery.sending import Flight, left_behind, start_next
from delivery.statements import claim_lanes

logger = logging.getLogger(__name__)

TURN_OF_A_LANE_SECONDS = 5.0
LOOK_SECONDS = 1.0
# Without a wake-up: a broker that is away must not keep anything from being sent.
SWEEP_SECONDS = 5.0
PAUSE_SECONDS = 1.0
GATHER_SECONDS = 0.005


@dataclass
class Hold:
    """A lease of ours: when it was taken and last extended, on the monotonic clock."""

    since: float
    extended: float


class Engine:
    """Holds lanes and sends what is due on them. One thread takes its turns; any may wake it."""

    def __init__(self, *, places: int | None = None) -> None:
        self.token = uuid.uuid4()
        self.places = places or settings.DELIVERY_PLACES
        self.lanes: dict[uuid.UUID, Hold] = {}
        self.in_air: dict[uuid.UUID, Flight] = {}
        self.landed: list[Flight] = []
        self.made = 0
        self._may_claim = True
        self._sweep_at = 0.0
        self._in_doubt = False
        self._leave_by = math.inf
        self._calls: queue.SimpleQueue[Flight | None] = queue.SimpleQueue()
        self._departures: queue.SimpleQueue[Flight | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    # From any thread

    def wake(self) -> None:
        """Something may be due."""
        self._calls.put(None)

    def stop(self) -> None:
        """Finish what is in the air, give every lane back, start nothing more.

        With a database that is away, wait as long as a lease: then others may hold the lanes.
        """
        self._leave_by = min(self._leave_by, time.monotonic() + settings.DELIVERY_LEASE_SECONDS)
        self.wake()

    # In the engine's own thread

    def run(self) -> None:
        """Take turns until stopped. A database that is away is asked again and again."""
        while not self._is_done():
            self._may_claim |= time.monotonic() >= self._sweep_at
            if not self._wants_more():
                self._await_calls(LOOK_SECONDS if self.lanes else SWEEP_SECONDS)
            self._try_turn()
        self._give_back(set(self.lanes))
        self._dismiss()
        connection.close()

    @property
    def _stopping(self) -> bool:
        return self._leave_by < math.inf

    def _is_done(self) -> bool:
        if not self._stopping and not threading.main_thread().is_alive():
            self.stop()  # the process is ending, and nobody said so
        nothing_left = not self.in_air and not self.landed
        return self._stopping and (nothing_left or time.monotonic() > self._leave_by)

    def _try_turn(self) -> None:
        try:
            self.turn()
        except (InterfaceError, OperationalError) as failure:
            logger.warning("engine: the database failed, again in a second: %s", failure)
            self._start_afresh()
        except Exception:
            logger.exception("engine: a turn failed; what landed is written down one by one")
            self._record_one_by_one()
            self._start_afresh()

    def _record_one_by_one(self) -> None:
        """One result that cannot be written down must not take the others with it."""
        while self.landed:
            flight = self.landed[0]
            try:
                with transaction.atomic():
                    record([flight], self.token)
            except (InterfaceError, OperationalError):
                return
            except Exception:
                logger.exception("engine: the attempt of %s will be repeated", flight.delivery.pk)
            del self.landed[0]

    def _start_afresh(self) -> None:
        """Wait a moment, then go on from what is certain.

        A commit that failed may have counted: lanes may be ours without our knowing, with attempts
        written down that never left. The next turn gives all back that has nothing in the air.
        """
        self._in_doubt = True
        connection.close()
        time.sleep(PAUSE_SECONDS)
        self.wake()

    def run_until_idle(self) -> int:
        """Send what is due now, in the caller's thread. Returns the attempts made."""
        while True:
            self.turn()
            if not self._wants_more():
                if not self.in_air:
                    break
                self._await_calls(None)
        self._dismiss()
        return self.made

    def _await_calls(self, seconds: float | None) -> None:
        """Wait for a landing or a wake-up, then take all that are there.

        After a landing with others in the air, the turn waits a moment for more of them: it costs
        nearly the same for thirty results as for one, and on SQLite others get their turn to write.
        A wake-up is not kept waiting.
        """
        try:
            self._note(call := self._calls.get(timeout=seconds))
            gather_until = time.monotonic() + GATHER_SECONDS
            while call and self.in_air:
                call = self._calls.get(timeout=max(0, gather_until - time.monotonic()))
                self._note(call)
            while True:
                self._note(self._calls.get_nowait())
        except queue.Empty:
            return

    def _note(self, call: Flight | None) -> None:
        if call is None:
            self._may_claim = True
        else:
            self.landed.append(call)
            del self.in_air[call.delivery.lane_id]

    def turn(self) -> None:
        """Record, claim, start: one transaction. What it decided counts once it is committed."""
        began, landed = time.monotonic(), list(self.landed)
        self._settle_doubt()
        self._extend_leases()
        with transaction.atomic():
            left_alone = record(landed, self.token) if landed else set()
            resting = left_alone | self._turns_over()
            free = max(0, self.places - len(self.lanes) + len(resting))
            claimed, found = self._claim(free)
            ready = [pk for pk in self.lanes if pk not in self.in_air and pk not in resting]
            ready += [lane.pk for lane in claimed]
            flights = start_next(self.token, ready) if ready and not self._stopping else []
            idle = resting.union(ready) - {flight.delivery.lane_id for flight in flights}
            release(self.token, idle)
        _committed(landed, claimed, flights)
        del self.landed[: len(landed)]
        self.lanes |= {lane.pk: Hold(began, began) for lane in claimed}
        # There may be more where all that was asked for was found, and where a lane had its share;
        # but not where what was found is not to be had.
        in_vain = bool(free) and not found and idle.issuperset(lane.pk for lane in claimed)
        self._may_claim &= len(claimed) == free and not in_vain
        self._may_claim |= bool(resting - left_alone)
        self._forget(idle)
        for flight in flights:
            self._take_off(flight)
        self._hire()

    def _wants_more(self) -> bool:
        """There is a place to fill, and something may be due."""
        return self._may_claim and len(self.lanes) < self.places and not self._stopping

    def _claim(self, free: int) -> tuple[list[Any], int]:
        """Take lanes for the places that are free; what dead senders left there is due again.

        Returns the lanes, and how much was left there.
        """
        if not free or not self._may_claim or self._stopping:
            return [], 0
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        claimed = claim_lanes(self.token, most=free)
        claimed = [lane for lane in claimed if lane.pk not in self.lanes]
        abandoned = [lane.pk for lane in claimed if lane.was_abandoned]
        found = left_behind(abandoned) if abandoned else []
        if found:
            recover(found)
        return claimed, len(found)

    def _turns_over(self) -> set[uuid.UUID]:
        """Lanes that had their share: others may wait for a place."""
        over = time.monotonic() - TURN_OF_A_LANE_SECONDS
        return {
            pk for pk, hold in self.lanes.items() if hold.since < over and pk not in self.in_air
        }

    def _settle_doubt(self) -> None:
        if self._in_doubt:
            busy = self.in_air.keys() | {flight.delivery.lane_id for flight in self.landed}
            release_others(self.token, busy)
            self._forget(self.lanes.keys() - busy)
            self._in_doubt = False

    def _extend_leases(self) -> None:
        """Leases that have used a quarter of their time. Lanes that others took are let go."""
        now = time.monotonic()
        due = now - settings.DELIVERY_LEASE_SECONDS / 4
        old = {pk for pk, hold in self.lanes.items() if hold.extended < due}
        if not old:
            return
        faults.hit("lease.before_extend")
        kept = extend(self.token, old)
        for pk in kept:
            self.lanes[pk].extended = now
        self._forget(old - kept - self.in_air.keys())

    def _give_back(self, lane_ids: set[uuid.UUID]) -> None:
        try:
            release(self.token, lane_ids)
        except (InterfaceError, OperationalError):
            logger.warning("engine: %d leases have to run out by themselves", len(lane_ids))
        self._forget(lane_ids)

    def _forget(self, lane_ids: set[uuid.UUID]) -> None:
        for lane_id in lane_ids:
            self.lanes.pop(lane_id, None)

    def _take_off(self, flight: Flight) -> None:
        self.in_air[flight.delivery.lane_id] = flight
        self.made += 1
        if flight.request is None:
            self._calls.put(flight)
        else:
            self._departures.put(flight)

    # Threads that wait for receivers, without the database

    def _hire(self) -> None:
        """A thread for each flight; they stay. If one cannot be had, flights wait for the others.

        They may not keep the process alive: the thread of the engine does, until all has landed.
        """
        while len(self._threads) < len(self.in_air):
            thread = threading.Thread(target=self._fly_all, name="send", daemon=True)
            try:
                thread.start()
            except RuntimeError as failure:
                logger.warning("engine: only %d threads send: %s", len(self._threads), failure)
                return
            self._threads.append(thread)

    def _dismiss(self) -> None:
        for _ in self._threads:
            self._departures.put(None)
        self._threads.clear()

    def _fly_all(self) -> None:
        while flight := self._departures.get():
            if flight.request is not None:
                self._fly(flight, flight.request)

    def _fly(self, flight: Flight, request: egress.Request) -> None:
        try:
            faults.hit("send.before_connect", request.url)
            flight.result = egress.send(request)
            faults.hit("send.after_response", request.url)
        except egress.EgressRefusedError as refused:
            flight.refusal = str(refused)
        except Exception as failure:
            logger.exception("sending to %s", request.url)
            flight.result = egress.Result(error=f"{type(failure).__name__}: {failure}"[:300])
        self._calls.put(flight)


def _committed(landed: list[Flight], claimed: list[Any], flights: list[Flight]) -> None:
    """A turn is in the database, and nothing that follows from it has happened."""
    if landed:
        faults.hit("finish.after_commit")
    if claimed:
        faults.hit("claim.after_commit")
    if flights:
        faults.hit("send.after_attempt_row")


def deliver_due() -> int:
    """Send whatever is due, in the caller's thread, until nothing is. Returns the attempts made."""
    return Engine().run_until_idle()


_starting = threading.Lock()


def running_engine() -> Engine:
    """This process's engine, started on first use. The process does not end before it does."""
    with _starting:  # two tasks may come first at once
        return _started()


def stop_running_engine() -> None:
    """Without the lock: signal handlers call this. If none was started, none is needed."""
    if _started.cache_info().currsize:
        _started().stop()


@functools.cache
def _started() -> Engine:
    engine = Engine()
    threading.Thread(target=engine.run, name="engine", daemon=False).start()
    return engine


# A copy of a process has none of its threads; with its token it would give the other's lanes away.
os.register_at_fork(after_in_child=_started.cache_clear)
