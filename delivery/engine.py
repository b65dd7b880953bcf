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
import queue
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from delivery import egress, faults
from delivery.lanes import extend, release
from delivery.models import Lane
from delivery.recording import record, recover
from delivery.sending import Flight, left_behind, start_next
from delivery.statements import claim_lanes

logger = logging.getLogger(__name__)

TURN_OF_A_LANE_SECONDS = 5.0
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 1.0
GATHER_SECONDS = 0.005


class Engine:
    """Holds lanes and sends what is due on them. All methods but `wake` belong to one thread."""

    def __init__(self, *, places: int | None = None) -> None:
        self.token = uuid.uuid4()
        self.places = places or settings.DELIVERY_PLACES
        self.lanes: dict[uuid.UUID, Lane] = {}
        self.in_air: dict[uuid.UUID, Flight] = {}
        self.landed: list[Flight] = []
        self.made = 0
        self._claimed_at: dict[uuid.UUID, float] = {}
        self._extended_at: dict[uuid.UUID, float] = {}
        self._may_claim = True
        self._stopping = False
        self._calls: queue.SimpleQueue[Flight | None] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(self.places, thread_name_prefix="send")

    # From any thread

    def wake(self) -> None:
        """Something may be due."""
        self._calls.put(None)

    def stop(self) -> None:
        """Finish what is in the air, give every lane back, start nothing more."""
        self._stopping = True
        self.wake()

    # In the engine's own thread

    def run(self) -> None:
        """Take turns until stopped. A database that is away is asked again and again."""
        while not self._stopping or self.in_air or self.landed:
            if not self._wants_more():
                self._await_calls(LOOK_SECONDS if self.lanes else None)
            try:
                self.turn()
            except (InterfaceError, OperationalError) as failure:
                logger.warning("engine: the database failed, again in a second: %s", failure)
                self._pause()
            except Exception:
                logger.exception("engine: a turn failed; %d results are dropped", len(self.landed))
                # Whoever takes these lanes when their leases end repeats the attempts.
                self._forget({flight.delivery.lane_id for flight in self.landed})
                self.landed.clear()
                self._pause()
        self._give_back(set(self.lanes))
        self._threads.shutdown()
        connection.close()

    def _pause(self) -> None:
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
        self._threads.shutdown()
        return self.made

    def _await_calls(self, seconds: float | None) -> None:
        """Wait for a landing or a wake-up, then take all that are there.

        After a landing with others in the air, the turn waits a moment for more of them: it costs
        nearly the same for thirty results as for one.
        """
        try:
            self._note(self._calls.get(timeout=seconds))
            gather_until = time.monotonic() + GATHER_SECONDS
            while self.in_air and not self._may_claim:
                self._note(self._calls.get(timeout=max(0, gather_until - time.monotonic())))
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
        landed = list(self.landed)
        self._extend_leases()
        with transaction.atomic():
            left_alone = record(landed, self.token, self.lanes) if landed else set()
            resting = left_alone | self._turns_over()
            free = max(0, self.places - len(self.lanes) + len(resting))
            claimed = self._claim(free)
            ready = [pk for pk in self.lanes if pk not in self.in_air and pk not in resting]
            ready += [lane.pk for lane in claimed]
            flights = start_next(self.token, ready) if ready and not self._stopping else []
            idle = resting.union(ready) - {flight.delivery.lane_id for flight in flights}
            release(self.token, idle)
        _committed(landed, claimed, flights)
        del self.landed[: len(landed)]
        for lane in claimed:
            self.lanes[lane.pk] = lane
            self._claimed_at[lane.pk] = self._extended_at[lane.pk] = time.monotonic()
        self._forget(idle)
        # There may be more where all that was asked for was found, and where a lane had its share.
        self._may_claim &= len(claimed) == free
        self._may_claim |= bool(resting - left_alone)
        for flight in flights:
            self._take_off(flight)

    def _wants_more(self) -> bool:
        """There is a place to fill, and something may be due."""
        return self._may_claim and len(self.lanes) < self.places and not self._stopping

    def _claim(self, free: int) -> list[Any]:
        """Take lanes for the places that are free; what dead senders left there is due again."""
        if not free or not self._may_claim or self._stopping:
            return []
        claimed = claim_lanes(self.token, most=free)
        claimed = [lane for lane in claimed if lane.pk not in self.lanes]
        if abandoned := [lane.pk for lane in claimed if lane.was_abandoned]:
            recover(left_behind(abandoned))
        return claimed

    def _turns_over(self) -> set[uuid.UUID]:
        """Lanes that had their share: others may wait for a place."""
        over = time.monotonic() - TURN_OF_A_LANE_SECONDS
        return {pk for pk, at in self._claimed_at.items() if at < over and pk not in self.in_air}

    def _extend_leases(self) -> None:
        """Leases that have used a quarter of their time. Lanes that others took are let go."""
        due = time.monotonic() - settings.DELIVERY_LEASE_SECONDS / 4
        old = {pk for pk, at in self._extended_at.items() if at < due}
        if not old:
            return
        faults.hit("lease.before_extend")
        kept = extend(self.token, old)
        self._extended_at |= dict.fromkeys(kept, time.monotonic())
        lost = old - kept - self.in_air.keys()
        self._forget(lost)

    def _give_back(self, lane_ids: set[uuid.UUID]) -> None:
        try:
            release(self.token, lane_ids)
        except (InterfaceError, OperationalError):
            logger.warning("engine: %d leases have to run out by themselves", len(lane_ids))
        self._forget(lane_ids)

    def _forget(self, lane_ids: set[uuid.UUID]) -> None:
        for lane_id in lane_ids:
            for known in (self.lanes, self._claimed_at, self._extended_at):
                known.pop(lane_id, None)

    def _take_off(self, flight: Flight) -> None:
        self.in_air[flight.delivery.lane_id] = flight
        self.made += 1
        if flight.request is None:
            self._calls.put(flight)
        else:
            self._threads.submit(self._fly, flight, flight.request)

    def _fly(self, flight: Flight, request: egress.Request) -> None:
        """In a thread of its own, without the database."""
        faults.hit("send.before_connect", request.url)
        try:
            flight.result = egress.send(request)
        except egress.EgressRefusedError as refused:
            flight.refusal = str(refused)
        except Exception as failure:
            logger.exception("sending to %s", request.url)
            flight.result = egress.Result(error=f"{type(failure).__name__}: {failure}"[:300])
        faults.hit("send.after_response", request.url)
        self._calls.put(flight)


def _committed(landed: list[Flight], claimed: list[Lane], flights: list[Flight]) -> None:
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


@functools.cache
def _started() -> Engine:
    engine = Engine()
    threading.Thread(target=engine.run, name="engine").start()
    return engine
