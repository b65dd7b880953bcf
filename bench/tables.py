"""The rows of a seeded year: a message, and what comes with it in each table."""

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings

from accounts.encryption import encrypt
from accounts.models import Session, User, Workspace
from accounts.sessions import SessionStore
from api.models import Call, CallBodies, PersonToken
from attachments.models import Attachment, Preview
from bench.loading import Table, plain_id, plain_time
from bench.seed import ANSWER, EVENT, FACTS, OPTIONS, RARE, TOLD, WORDS
from delivery.models import (
    Attempt,
    Delivery,
    Event,
    FeedHead,
    Lane,
    Push,
    PushKey,
    PushSubscription,
    _base32,
)
from delivery.retention import ATTEMPTS_KEPT, BODY_KEPT
from inbox.models import Message, StatusChange, StatusEvent, Thread
from reviews.models import ReviewRead, ReviewRequest

if TYPE_CHECKING:
    from inbox.models import Channel

CLOSING = {"completed": "review:responded", "expired": "review:expired"}
GONE = "https://gone.example"
NEVER_SENT = 5  # one channel in five has no webhook
UNPLACED = 300  # events that no reader of the feed has asked for yet
MOST_CALLS = 100_000
DEVICES = 50
SHOWN_ON_EACH = 40
MOST_SESSIONS = 100  # of people; the others were never signed in


class Writer:
    """Knows the moment of the seeding, and keeps rows until they are flushed."""

    def __init__(self, people: list[User], now: datetime) -> None:
        self.people, self.now = people, now
        self.chance = random.Random(1)  # noqa: S311  # the same rows every time
        self._texts = [self._words() for _ in range(500)]
        self._sealed = {text: encrypt(text.encode()) for text in (ANSWER, EVENT, TOLD, OPTIONS)}
        self._lanes: dict[UUID, Lane] = {}
        self._positions: dict[UUID, int] = {}
        self._threads: dict[UUID, list[str]] = {}
        self._chain = ("", 0)
        self._chained_in: UUID | None = None
        self._open: list[tuple[str, str]] = []  # reviews, and until when
        self._make_tables()

    def _words(self) -> str:
        title, body = (self.chance.choices(WORDS, k=number) for number in (6, 24))
        return f"# {' '.join(title)}\n\n{' '.join(body)}"

    def _make_tables(self) -> None:
        self.messages = Table(
            Message,
            "id workspace_id channel_id thread_id sender author_id text metadata_json client_id "
            "delivery_status iteration_group iteration stream_id stream_state created_at "
            "updated_at",
            stream_lapsed=False,
        )
        self.reviews = Table(
            ReviewRequest,
            "message_id workspace_id channel_id kind payload_json expires_at status revision "
            "response_json decided_at decided_by_id decided_via created_at",
            callback_url="",
            callback_method="",
            feedback="",
            form_token="",  # none
        )
        self.reads = Table(ReviewRead, "user_id review_id read_at")
        self.threads = Table(
            Thread, "id channel_id foreign_id created_at", source="eliza", title=""
        )
        self.files = Table(
            Attachment,
            "id workspace_id channel_id message_id filename mime_type size storage_key created_at",
            position=0,
            is_upload=False,
            is_answer=False,
            state="ready",
            sha256="0" * 64,
        )
        self.previews = Table(
            Preview,
            "attachment_id storage_key created_at made_at",
            kind="code",
            state="ready",
            failure="",
            attempts=1,
        )
        self.steps = Table(
            StatusEvent, "id channel_id stream_id index text created_at", tool_hint=False
        )
        self.events = Table(
            Event,
            "id workspace_id type reference scope once_key body position created_at",
            body_sha256="0" * 64,
        )
        self.deliveries = Table(
            Delivery,
            "id event_id lane_id signing_scope state attempts next_attempt_at give_up_at "
            "finished_at last_status last_error created_at",
            url="https://agent.example/hook",
            method="POST",
            target_key="0" * 64,
            replay_no=0,
        )
        self.attempts = Table(
            Attempt,
            "delivery_id number token started_at ended_at http_status",
            duration_ms=20,
            response_head="",
            error="",
        )

    @property
    def _tables(self) -> list[Table]:
        return [each for each in vars(self).values() if isinstance(each, Table)]

    @property
    def count(self) -> int:
        return sum(table.count for table in self._tables)

    def flush(self) -> None:
        for table in self._tables:
            table.flush()

    def message(self, number: int, at: datetime, channel: "Channel", *, asks: str) -> None:
        pk, time = plain_id(at, self.chance), plain_time(at)
        by_person = not asks and number % 8 < 3  # noqa: PLR2004  # a quarter of all
        author = self.people[number % 10].pk if by_person else None
        stream = f"stream-{number}" if not (asks or by_person or number % 10) else None
        group, iteration = (
            self._revision(pk, channel) if asks and number % 50 == 0 else (None, None)
        )
        self.messages.add(
            pk,
            channel.workspace_id,
            channel.pk,
            self._thread(number, at, channel),
            "user" if by_person else "agent",
            author,
            self._text(number),
            FACTS if asks else None,
            f"client-{number}" if number % 4 == 1 else None,
            "agent_received" if by_person else "sent",
            group,
            iteration,
            stream,
            "complete" if stream else None,
            time,
            time,
        )
        if asks:
            self._review(number, pk, at, channel, asks)
        if stream:
            self._steps(at, channel, stream)
        if by_person:
            self._event(number, pk, at, channel, "message:created")
        elif asks in {"completed", "expired"}:
            self._event(number, pk, at, channel, CLOSING[asks])
        if number % 12 == 0:
            self._file(number, pk, at, channel)

    def _text(self, number: int) -> str:
        rare = f" {RARE}" if number % 10_000 == 0 else ""
        return f"{self._texts[number % 500]} {number}{rare}"

    def _thread(self, number: int, at: datetime, channel: "Channel") -> str | None:
        """Every tenth message is in one; a thread has about ten."""
        if number % 10 != 7:  # noqa: PLR2004
            return None
        known = self._threads.setdefault(channel.pk, [])
        if not known or number % 100 == 7:  # noqa: PLR2004
            known.append(plain_id(at, self.chance))
            self.threads.add(known[-1], channel.pk, f"room-{number}", plain_time(at))
        return known[-1]

    def _revision(self, pk: str, channel: "Channel") -> tuple[str, int]:
        """Chains of up to three; a chain stays in one workspace, for the first one begins it."""
        group, length = self._chain
        if length in {0, 3} or self._chained_in != channel.pk:
            group, length, self._chained_in = pk, 0, channel.pk
        self._chain = (group, length + 1)
        return self._chain

    def _review(self, number: int, pk: str, at: datetime, channel: "Channel", status: str) -> None:
        person, completed = self.people[number % 10].pk, status == "completed"
        waited = min(timedelta(minutes=number % 900), max(self.now - at, timedelta(0)))
        decided = None if status == "pending" else plain_time(at + waited)
        hours = timedelta(hours=1 + number % 700)
        expires = self.now + hours if status == "pending" else at + hours
        self.reviews.add(
            pk,
            channel.workspace_id,
            channel.pk,
            "approval",
            OPTIONS,
            plain_time(expires),
            status,
            1 if status == "pending" else 2,
            self._sealed[ANSWER] if completed else None,
            decided,
            person if completed else None,
            {"completed": "page", "expired": "clock", "cancelled": "agent"}.get(status, ""),
            plain_time(at),
        )
        if status == "pending":
            self._open.append((pk, plain_time(expires)))
        if completed or number % 4 == 1:
            self.reads.add(person, pk, decided or plain_time(self.now))

    def _steps(self, at: datetime, channel: "Channel", stream: str) -> None:
        for index in range(3):
            pk = plain_id(at, self.chance)
            self.steps.add(pk, channel.pk, stream, index, "Looking it up", plain_time(at))

    def _event(self, number: int, pk: str, at: datetime, channel: "Channel", what: str) -> None:
        at = min(at + timedelta(minutes=number % 900), self.now)
        event_id, home = f"msg_{_base32(UUID(plain_id(at, self.chance)))}", channel.workspace_id
        place = self._positions[home] = self._positions.get(home, 0) + 1
        kept = at > self.now - BODY_KEPT
        self.events.add(
            event_id,
            home,
            what,
            str(UUID(pk)),
            str(channel.pk),
            f"{pk}:{what}",
            self._sealed[TOLD if what == "message:created" else EVENT] if kept else None,
            place,
            plain_time(at),
        )
        if int(channel.name.split()[-1]) % NEVER_SENT != NEVER_SENT - 1:
            self._delivery(number, event_id, at, channel)

    def _delivery(self, number: int, event_id: str, at: datetime, channel: "Channel") -> None:
        pk, time = plain_id(at, self.chance), plain_time(at)
        failed = number % 97 == 0
        waits = at > self.now - timedelta(hours=2) and number % 3 == 0
        state = "pending" if waits else "exhausted" if failed else "delivered"
        tries = 1 + (number % 10 == 0)
        self.deliveries.add(
            pk,
            event_id,
            self._lane(channel).pk,
            str(channel.pk),
            state,
            tries,
            plain_time(self.now + timedelta(minutes=5)) if waits else time,
            plain_time(at + timedelta(hours=72)),
            None if waits else time,
            500 if waits or failed else 200,
            "",
            time,
        )
        if at > self.now - ATTEMPTS_KEPT:
            for attempt in range(1, tries + 1):
                self.attempts.add(pk, attempt, pk, time, time, 500 if waits or failed else 200)

    def _lane(self, channel: "Channel") -> Lane:
        """Two or three channels of a workspace share an origin."""
        lane = self._lanes.get(channel.pk)
        if lane is None:
            origin = f"https://agent{len(self._lanes) // 2}.example"
            slot = channel.pk.int % 4
            lane, _ = Lane.objects.get_or_create(
                workspace_id=channel.workspace_id, origin=origin, slot=slot
            )
            self._lanes[channel.pk] = lane
        return lane

    def _file(self, number: int, message: str, at: datetime, channel: "Channel") -> None:
        pk, time = plain_id(at, self.chance), plain_time(at)
        key = f"{channel.workspace_id}/{at:%Y/%m}/{pk[:26]}"
        name = f"{WORDS[number % len(WORDS)]}-{number}.txt"
        place = (channel.workspace_id, channel.pk, message)
        self.files.add(pk, *place, name, "text/plain", 1000 + number % 9000, key, time)
        self.previews.add(pk, f"{key}.preview", time, time)

    def rest(self, messages: int, channels: list["Channel"]) -> None:
        """What does not hang on messages."""
        self.flush()
        FeedHead.objects.bulk_create(
            FeedHead(workspace_id=home, position=place) for home, place in self._positions.items()
        )
        newest = Event.objects.order_by("-pk").values("pk")[:UNPLACED]
        Event.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(position=None)
        self._switched_off(channels[0].workspace)
        self._calls(min(messages // 5, MOST_CALLS), channels)
        self._changes(messages // 10, channels)
        self._sign_ins(messages // 50)
        self._pushes(min(messages // 100, DEVICES * SHOWN_ON_EACH), channels[0].workspace)

    def _switched_off(self, workspace: Workspace) -> None:
        """A receiver that failed for long, half a year ago; nothing of it is left."""
        since = self.now - timedelta(days=180)
        Lane.objects.create(workspace=workspace, origin=GONE, slot=0, disabled_at=since)

    def _calls(self, number: int, channels: list["Channel"]) -> None:
        self.calls = Table(
            Call,
            "id workspace_id channel_id key_id status created_at",
            key_prefix="hp_bench",
            method="GET",
            route="/api/v1/reviews/{id}",
            path="/api/v1/reviews/1",
            duration_ms=4,
            request_bytes=0,
            address="127.0.0.1",
            error="",
        )
        self.bodies = Table(CallBodies, "call_id workspace_id answer", size=500, request=None)
        for index in range(number):
            at = self.now - settings.API_LOG_KEPT * (number - index) / number
            pk, channel = plain_id(at, self.chance), channels[index % len(channels)]
            home = channels[0].workspace_id if index % 10 else channel.workspace_id
            status = self.chance.choice((200, 200, 200, 201, 404, 500))
            self.calls.add(pk, home, channel.pk, home, status, plain_time(at))
            if index % 5 == 0:
                self.bodies.add(pk, home, self._sealed[EVENT])

    def _changes(self, number: int, channels: list["Channel"]) -> None:
        self.changes = Table(StatusChange, "channel_id status changed_at", message=None)
        for index in range(number):
            at = self.now - timedelta(days=365) * (number - index) / number
            status = "active" if index % 2 else "busy"
            self.changes.add(channels[index % len(channels)].pk, status, plain_time(at))

    def _sign_ins(self, number: int) -> None:
        about: dict[str, Any] = {
            "user_agent": "Firefox",
            "address": "127.0.0.1",
            "data": SessionStore().encode({}),
        }
        self.sessions = Table(
            Session, "id key_hash user_id signed_in_at last_seen_at expires_at", **about
        )
        self.tokens = Table(
            PersonToken, "id token_hash user_id created_at expires_at", session="0" * 64
        )
        for index in range(number):
            at = self.now - timedelta(days=14) * (number - index) / number
            time, ends = plain_time(at), plain_time(at + timedelta(days=14, hours=1))
            person = self.people[index % 11].pk if index < MOST_SESSIONS else None
            digest = f"{self.chance.getrandbits(256):064x}"
            self.sessions.add(plain_id(at, self.chance), digest, person, time, time, ends)
            if person:
                self.tokens.add(plain_id(at, self.chance), digest, person, time, ends)

    def _pushes(self, number: int, workspace: Workspace) -> None:
        key = PushKey.objects.create(private_key="x", public_key="seed", is_live=False)
        devices = [
            PushSubscription.objects.create(
                user=self.people[index % 10],
                key=key,
                endpoint=f"https://push.example/{index}",
                endpoint_sha256=f"{index:064x}",
                p256dh="x",
                auth="x",
                label="Firefox",
                created_at=self.now,
            )
            for index in range(DEVICES)
        ]
        self.pushes = Table(
            Push,
            "id subscription_id workspace_id about payload sent_at expires_at created_at",
            is_last=False,
            is_urgent=True,
            attempts=1,
            due_at=None,
        )
        for index, (about, ends) in enumerate(self._open[-number:]):
            pk, time = plain_id(self.now, self.chance), plain_time(self.now)
            device = devices[index % DEVICES].pk
            self.pushes.add(pk, device, workspace.pk, about, self._sealed[EVENT], time, ends, time)
