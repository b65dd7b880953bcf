"""The judge is judged: each invariant accepts a good history and complains about a forged one."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.chaos import checker
from tests.chaos.checker import Run, complaints_about, figures_of
from tests.chaos.history import Call, Entry, Ledger, Told

NOW = datetime.now(UTC)
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
ANSWER = {"selectedOption": "approve"}
BODY = b'{"event":"review:responded"}'


def entry(event_id: str = "msg_1", path: str = "/a", body: bytes = BODY, **over: Any) -> Entry:
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(event_id, NOW, body.decode()),
    }
    return replace(Entry(NOW.timestamp(), path, headers, body, 200), **over)


def review(**over: Any) -> dict[str, Any]:
    return {
        "message_id": "r1",
        "channel_id": "c1",
        "status": "completed",
        "response_json": json.dumps(ANSWER),
    } | over


def event(**over: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "reference": "r1",
        "type": "review:responded",
        "scope": "c1",
        "body_sha256": hashlib.sha256(BODY).hexdigest(),
    } | over


def delivery(**over: Any) -> dict[str, Any]:
    return {
        "id": "d1",
        "event_id": "msg_1",
        "lane_id": "l1",
        "state": "delivered",
        "last_error": "",
        "replay_no": 0,
        "next_attempt_at": NOW,
    } | over


def message(**over: Any) -> dict[str, Any]:
    row = {"id": "r1", "channel_id": "c1", "sender": "agent", "text": "Deploy?"}
    return row | {"client_id": "k1"} | over


ATTEMPT: dict[str, Any] = {"delivery_id": "d1", "number": 1, "ended_at": NOW}
LANE: dict[str, Any] = {
    "id": "l1",
    "origin": "http://127.0.0.1:1",
    "slot": 0,
    "lease_token": None,
    "lease_until": NOW,
}
ASKED = Call("ask", "r1", Told.YES, 201, client_id="k1")
DECIDED = Call("decide", "r1", Told.YES, 303, ANSWER)
LEDGER = Ledger([message()], [review()], [event()], [delivery()], [ATTEMPT], [LANE])
GOOD = Run(
    calls=[ASKED, DECIDED],
    entries=[entry()],
    ledger=LEDGER,
    owners={"/a": "c1", "/b": "c2"},
    secrets={"c1": SECRET},
    checked_at=NOW,
)


def with_rows(**tables: Any) -> Run:
    return replace(GOOD, ledger=replace(LEDGER, **tables))


def test_good_history_is_accepted() -> None:
    assert complaints_about(GOOD) == []
    assert figures_of(GOOD) == checker.Figures(acked=1, distinct=1, dup=0, lost=0, unknown=0)


WRITE = Call("write", "", Told.YES, 303, text="Hello")
UNANSWERED = replace(ASKED, told=Told.NOTHING, about="")
LATER = NOW + timedelta(seconds=30)

FORGED: dict[str, tuple[Callable[[Run], list[str]], Run]] = {
    "I1 accepted message is missing": (
        checker.i1_acknowledged_is_stored,
        with_rows(messages=[]),
    ),
    "I1 accepted decision is not stored": (
        checker.i1_acknowledged_is_stored,
        with_rows(reviews=[review(status="pending", response_json=None)]),
    ),
    "I1 another answer is stored": (
        checker.i1_acknowledged_is_stored,
        with_rows(reviews=[review(response_json='{"selectedOption": "reject"}')]),
    ),
    "I1 accepted decision has no event": (
        checker.i1_acknowledged_is_stored,
        with_rows(events=[]),
    ),
    "I1 accepted words are nowhere": (
        checker.i1_acknowledged_is_stored,
        replace(GOOD, calls=[WRITE]),
    ),
    "I2 closed review without an event": (
        checker.i2_unknown_is_all_or_nothing,
        with_rows(events=[]),
    ),
    "I2 open review with an event": (
        checker.i2_unknown_is_all_or_nothing,
        with_rows(reviews=[review(status="pending", response_json=None)]),
    ),
    "I2 message without its review": (
        checker.i2_unknown_is_all_or_nothing,
        replace(with_rows(reviews=[], events=[]), calls=[UNANSWERED]),
    ),
    "I2 one client id, two messages": (
        checker.i2_unknown_is_all_or_nothing,
        with_rows(
            messages=[message(), message(id="r2")],
            reviews=[review(), review(message_id="r2")],
            events=[event(), event(id="msg_2", reference="r2")],
        ),
    ),
    "I2 person's message without an event": (
        checker.i2_unknown_is_all_or_nothing,
        with_rows(messages=[message(), message(id="m2", sender="user", client_id=None)]),
    ),
    "I3 two ends": (
        checker.i3_one_terminal_event,
        with_rows(events=[event(), event(id="msg_2", type="review:expired")]),
    ),
    "I4 silently lost": (
        checker.i4_event_arrives_or_fails_visibly,
        replace(GOOD, entries=[]),
    ),
    "I4 only refused": (
        checker.i4_event_arrives_or_fails_visibly,
        replace(with_rows(deliveries=[delivery(state="pending")]), entries=[entry(status=500)]),
    ),
    "I5 other bytes": (
        checker.i5_same_bytes_and_valid_signature,
        replace(GOOD, entries=[entry(body=b'{"event":"forged"}')]),
    ),
    "I5 unknown event": (
        checker.i5_same_bytes_and_valid_signature,
        replace(GOOD, entries=[entry("msg_9")]),
    ),
    "I5 wrong signature": (
        checker.i5_same_bytes_and_valid_signature,
        replace(GOOD, secrets={"c1": "whsec_" + base64.b64encode(b"x" * 32).decode()}),
    ),
    "I6 twice without a reason": (
        checker.i6_repeats_are_explained,
        replace(GOOD, entries=[entry(), entry()]),
    ),
    "I6 another event's dead sender is no excuse": (
        checker.i6_repeats_are_explained,
        replace(
            with_rows(
                deliveries=[delivery(), delivery(id="d2", event_id="msg_2")],
                attempts=[ATTEMPT | {"delivery_id": "d2", "ended_at": None}],
            ),
            entries=[entry(), entry()],
        ),
    ),
    "I7 delivered and never accepted": (
        checker.i7_delivered_means_accepted,
        replace(GOOD, entries=[entry(status=500)]),
    ),
    "I8 somebody else's event": (
        checker.i8_receivers_get_their_own,
        replace(GOOD, entries=[entry(path="/b")]),
    ),
    "I10 still sending": (
        checker.i10_quiet_at_the_end,
        with_rows(deliveries=[delivery(state="sending")]),
    ),
    "I10 lane still held": (
        checker.i10_quiet_at_the_end,
        with_rows(lanes=[LANE | {"lease_token": "t", "lease_until": LATER}]),
    ),
    "I10 due for two minutes": (
        checker.i10_quiet_at_the_end,
        with_rows(
            deliveries=[delivery(state="pending", next_attempt_at=NOW - timedelta(minutes=2))]
        ),
    ),
}


@pytest.mark.parametrize(("check", "forged"), FORGED.values(), ids=FORGED.keys())
def test_forged_history_is_noticed(check: Callable[[Run], list[str]], forged: Run) -> None:
    assert check(GOOD) == []
    assert check(forged)


def test_every_invariant_has_a_forged_history() -> None:
    assert {check for check, _ in FORGED.values()} == set(checker.INVARIANTS)


def test_repeat_after_a_dead_sender_a_late_answer_or_a_replay_is_excused() -> None:
    twice = replace(GOOD, entries=[entry(), entry()])
    dead = replace(LEDGER, attempts=[ATTEMPT | {"ended_at": None}])
    replayed = replace(LEDGER, deliveries=[delivery(), delivery(id="d2", replay_no=1)])
    assert checker.i6_repeats_are_explained(replace(twice, ledger=dead)) == []
    assert checker.i6_repeats_are_explained(replace(twice, ledger=replayed)) == []
    late = replace(GOOD, entries=[entry(late=True), entry()])
    assert checker.i6_repeats_are_explained(late) == []


def test_visible_failure_is_no_loss_and_silence_is_one() -> None:
    failed = replace(with_rows(deliveries=[delivery(state="exhausted")]), entries=[])
    assert figures_of(failed).lost == 0
    silent = replace(with_rows(deliveries=[delivery(state="pending")]), entries=[])
    assert figures_of(silent).lost == 1
    assert figures_of(with_rows(events=[])).lost == 1
    assert figures_of(replace(GOOD, calls=[WRITE])).lost == 1


def test_secret_in_a_log_is_noticed() -> None:
    logs = {"web.log": "all is well", "worker.log": f"sent with {SECRET}"}
    assert checker.i11_no_secret_in({"web.log": "all is well"}, {SECRET}) == []
    (complaint,) = checker.i11_no_secret_in(logs, {SECRET})
    assert "worker.log" in complaint
    assert SECRET not in complaint
