"""Judging a run by what everybody saw, as Jepsen does. Pure functions: each returns complaints.

The audit chain does not exist yet, so invariant I9 of the design has no function here.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from tests.chaos.history import Call, Entry, Ledger, Row, Told

FINAL = frozenset({"delivered", "exhausted", "gone", "blocked", "cancelled"})
FAILED = FINAL - {"delivered"}
PROBABLY = "probably delivered"
LONGEST_QUEUE = timedelta(seconds=60)


@dataclass(frozen=True)
class Run:
    """Everything there is to judge. `owners` maps a receiver's path to the channel it is for."""

    calls: Sequence[Call]
    entries: Sequence[Entry]
    ledger: Ledger
    owners: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    checked_at: datetime | None = None


def _reviews(run: Run) -> dict[str, Row]:
    return {row["message_id"]: row for row in run.ledger.reviews}


def _events_about(run: Run) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for event in run.ledger.events:
        found[event["reference"]].append(event)
    return found


def _is_decided_so(review: Row | None, call: Call) -> bool:
    return (
        review is not None
        and review["status"] == "completed"
        and json.loads(review["response_json"]) == call.answer
    )


def i1_acknowledged_is_stored(run: Run) -> list[str]:
    """What a client was told is done, is done, and its event exists."""
    reviews, events = _reviews(run), _events_about(run)
    messages = {row["id"] for row in run.ledger.messages}
    complaints = []
    for call in run.calls:
        if call.told is not Told.YES:
            continue
        if call.kind == "ask" and call.about not in messages:
            complaints.append(f"message {call.about} was accepted and does not exist")
        if call.kind == "decide" and not _is_decided_so(reviews.get(call.about), call):
            complaints.append(f"decision of {call.about} was accepted and is not stored")
        if call.kind == "decide" and not events[call.about]:
            complaints.append(f"decision of {call.about} was accepted and has no event")
        if call.kind == "write" and not _written(run, call):
            complaints.append(f"words {call.text!r} were accepted and have no message with event")
    return complaints


def _written(run: Run, call: Call) -> bool:
    events = _events_about(run)
    return any(row["text"] == call.text and events[row["id"]] for row in run.ledger.messages)


def i2_unknown_is_all_or_nothing(run: Run) -> list[str]:
    """A request without an answer left everything or nothing."""
    complaints = []
    events = _events_about(run)
    reviews = _reviews(run)
    for row in run.ledger.reviews:
        closed, told = row["status"] in {"completed", "expired"}, events[row["message_id"]]
        if closed != bool(told):
            complaints.append(f"review {row['message_id']} is {row['status']}, events: {len(told)}")
    complaints += [
        f"a person's message {row['id']} has no event"
        for row in run.ledger.messages
        if row["sender"] == "user" and not events[row["id"]]
    ]
    for call in run.calls:
        posted = [
            m for m in run.ledger.messages if call.client_id and m["client_id"] == call.client_id
        ]
        if call.kind == "ask" and any(m["id"] not in reviews for m in posted):
            complaints.append(f"message of {call.client_id} exists without its review")
        if len(posted) > 1:
            complaints.append(f"{call.client_id} was stored {len(posted)} times")
    return complaints


def i3_one_terminal_event(run: Run) -> list[str]:
    """A review ends once."""
    ends = Counter(
        event["reference"] for event in run.ledger.events if event["type"].startswith("review:")
    )
    return [f"review {about} has {count} ends" for about, count in ends.items() if count > 1]


def i4_event_arrives_or_fails_visibly(run: Run) -> list[str]:
    """No event with a delivery is silently lost."""
    return [
        f"event {event} was never accepted and is {', '.join(sorted(known))}"
        for event, known in _silently_lost(run).items()
    ]


def _silently_lost(run: Run) -> dict[str, set[str]]:
    """Events that no receiver accepted and that did not fail visibly, with their states."""
    seen = {entry.event_id for entry in run.entries if entry.accepted}
    states: dict[str, set[str]] = defaultdict(set)
    for delivery in run.ledger.deliveries:
        states[delivery["event_id"]].add(delivery["state"])
    return {
        event: known for event, known in states.items() if event not in seen and not known & FAILED
    }


def i5_same_bytes_and_valid_signature(run: Run) -> list[str]:
    """An event id always carries the bytes that were stored, signed for its channel."""
    stored = {event["id"]: event["body_sha256"] for event in run.ledger.events}
    complaints = []
    for entry in run.entries:
        if entry.event_id not in stored:
            complaints.append(f"{entry.path} got {entry.event_id!r}, which nobody stored")
        elif hashlib.sha256(entry.body).hexdigest() != stored[entry.event_id]:
            complaints.append(f"{entry.event_id} came with other bytes than were stored")
        elif not _verifies(entry, run):
            complaints.append(f"{entry.event_id} came with a wrong signature")
    return complaints


def _verifies(entry: Entry, run: Run) -> bool:
    """The reference package signs the same; how old the time is, is judged elsewhere."""
    secret = run.secrets.get(run.owners.get(entry.path, ""))
    if secret is None:
        return False
    at = datetime.fromtimestamp(int(entry.headers["webhook-timestamp"]), UTC)
    expected = Webhook(secret).sign(entry.event_id, at, entry.body.decode())
    return expected in entry.headers["webhook-signature"].split()


def repeats(run: Run) -> Counter[str]:
    """How often each accepted event came again without anybody asking for it."""
    accepted = Counter(entry.event_id for entry in run.entries if entry.accepted)
    asked_for = Counter(row["event_id"] for row in run.ledger.deliveries if row["replay_no"])
    return accepted - Counter(accepted.keys()) - asked_for


def i6_repeats_are_explained(run: Run) -> list[str]:
    """An accepted event comes again by itself only after a dead sender or a late answer."""
    event_of = {row["id"]: row["event_id"] for row in run.ledger.deliveries}
    excuses = Counter(event_of[row["delivery_id"]] for row in run.ledger.cut_short)
    excuses += Counter(entry.event_id for entry in run.entries if entry.late)
    return [
        f"{event} came {count} times too often, with {excuses[event]} excuses"
        for event, count in repeats(run).items()
        if count > excuses[event]
    ]


def i7_delivered_means_accepted(run: Run) -> list[str]:
    """What is shown as delivered was answered with 2xx."""
    accepted = {entry.event_id for entry in run.entries if entry.accepted}
    return [
        f"{row['event_id']} is shown as delivered and was never accepted"
        for row in run.ledger.deliveries
        if row["state"] == "delivered"
        and row["event_id"] not in accepted
        and not row["last_error"].startswith(PROBABLY)
    ]


def i8_receivers_get_their_own(run: Run) -> list[str]:
    """An event reaches only the addresses of its own channel."""
    scopes = {event["id"]: event["scope"] for event in run.ledger.events}
    return [
        f"{entry.path} got an event of channel {scopes.get(entry.event_id)}"
        for entry in run.entries
        if run.owners.get(entry.path) != scopes.get(entry.event_id)
    ]


def i10_quiet_at_the_end(run: Run) -> list[str]:
    """Nothing is being sent or held, and nothing that is due has waited for a minute."""
    now = run.checked_at
    rows = run.ledger.deliveries
    sending = [
        f"delivery {row['id']} is still sending" for row in rows if row["state"] == "sending"
    ]
    if now is None:
        return sending
    held = [
        f"lane {row['origin']} [{row['slot']}] is held"
        for row in run.ledger.lanes
        if row["lease_token"] and row["lease_until"] > now
    ]
    old = [
        f"delivery {row['id']} is due since {row['next_attempt_at']}"
        for row in rows
        if row["state"] == "pending" and row["next_attempt_at"] < now - LONGEST_QUEUE
    ]
    return sending + held + old


def i11_no_secret_in(texts: Mapping[str, str], secrets: Collection[str]) -> list[str]:
    """No log and no dump holds a key, a password or a signing secret."""
    return [
        f"{name} holds a secret that begins with {secret[:6]}"
        for name, text in texts.items()
        for secret in secrets
        if secret in text
    ]


INVARIANTS: tuple[Callable[[Run], list[str]], ...] = (
    i1_acknowledged_is_stored,
    i2_unknown_is_all_or_nothing,
    i3_one_terminal_event,
    i4_event_arrives_or_fails_visibly,
    i5_same_bytes_and_valid_signature,
    i6_repeats_are_explained,
    i7_delivered_means_accepted,
    i8_receivers_get_their_own,
    i10_quiet_at_the_end,
)


def complaints_about(run: Run) -> list[str]:
    return [f"{check.__name__}: {text}" for check in INVARIANTS for text in check(run)]


@dataclass(frozen=True)
class Figures:
    """One line's numbers. A failed end that is visible is not a loss."""

    acked: int
    distinct: int
    dup: int
    lost: int
    unknown: int


def figures_of(run: Run) -> Figures:
    """Count what was accepted from clients, what arrived, what came again, what is missing."""
    reviews = _reviews(run)
    events = _events_about(run)
    promised = {c.about for c in run.calls if c.told is Told.YES and c.kind == "decide"}
    promised |= {about for about, row in reviews.items() if row["status"] == "expired"}
    words = {c.text for c in run.calls if c.told is Told.YES and c.kind == "write"}
    promised |= {m["id"] for m in run.ledger.messages if m["text"] in words}
    unstored = words - {m["text"] for m in run.ledger.messages}
    missing = _silently_lost(run)
    lost = [
        about
        for about in promised
        if not events[about] or any(event["id"] in missing for event in events[about])
    ]
    return Figures(
        acked=len(promised) + len(unstored),
        distinct=len({entry.event_id for entry in run.entries if entry.accepted}),
        dup=repeats(run).total(),
        lost=len(lost) + len(unstored),
        unknown=len(run.ledger.cut_short),
    )
