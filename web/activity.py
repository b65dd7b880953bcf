"""What happened lately: deliveries to agents, and reviews that nobody answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.ids import parse_uuid, uuid7
from accounts.models import Workspace
from delivery.addresses import shown_address
from delivery.models import FAILED_STATES, Delivery, Event, State
from inbox.cutting import first_of
from inbox.models import Channel, Message
from inbox.queries import BadCursorError, channels_of, find_channel
from reviews.models import ReviewRequest, Status
from reviews.queries import reviews_of
from web.deliveries import next_try_of, reason_of, state_of
from web.looks import Look, look_of
from web.text.titles import title_of

PAGE = 50
CHANNELS_OFFERED = 200
RANGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
STATES: dict[str, frozenset[State]] = {
    "delivered": frozenset({State.DELIVERED}),
    "waiting": frozenset({State.PENDING, State.SENDING}),
    "failed": FAILED_STATES,
}
CLASSES = ("0", "2", "4", "5")
DIRECTIONS = ("inbound", "outbound")
SHOWS = ("deliveries", "expired", "calls")
LONGEST_PATH = 200


@dataclass(frozen=True)
class Wanted:
    """What the page is narrowed to; it travels in the query string."""

    show: str
    span: str
    channel: str
    state: str
    status: str
    key: str
    path: str
    direction: str
    cursor: str

    @classmethod
    def read(cls, given: QueryDict) -> "Wanted":
        """Unknown choices mean none. What names something is checked where it is looked up."""
        return cls(
            show=_one_of(given, "show", SHOWS) or "deliveries",
            span=_one_of(given, "span", tuple(RANGES)) or "day",
            channel=given.get("channel", ""),
            state=_one_of(given, "state", tuple(STATES)),
            status=_one_of(given, "status", CLASSES),
            key=given.get("key", ""),
            path=given.get("path", "").replace("\0", "").strip()[:LONGEST_PATH],
            direction=_one_of(given, "direction", DIRECTIONS),
            cursor=given.get("cursor", ""),
        )

    def since(self, now: datetime) -> datetime:
        return now - RANGES[self.span]

    @property
    def narrowed(self) -> bool:
        narrowing = (self.state, self.status, self.key, self.path, self.direction, self.channel)
        return any(narrowing)

    @property
    def before(self) -> UUID | None:
        """Where the page before ended. Raises: BadCursorError."""
        before = parse_uuid(self.cursor) if self.cursor else None
        if self.cursor and before is None:
            raise BadCursorError("cursor must be an id from this list", path=("cursor",))
        return before

    def query(self, **over: str) -> str:
        """The query string of the same list, from its first page unless one is named."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values |= {"cursor": ""} | over
        defaults = {"show": "deliveries", "span": "day"}
        present = {k: v for k, v in values.items() if v and defaults.get(k) != v}
        return f"?{urlencode(present)}"


def _one_of(given: QueryDict, name: str, known: Sequence[str]) -> str:
    value = given.get(name, "")
    return value if value in known else ""


@dataclass(frozen=True)
class Page[T]:
    """Rows, the newest first, and where the next page begins."""

    rows: Sequence[T]
    next_cursor: str = ""


def cut(rows: QuerySet[Any], before: UUID | None) -> Page[Any]:
    """One page out of rows that are ordered by falling id."""
    found = list(first_of(rows.filter(pk__lt=before) if before else rows, PAGE + 1))
    return Page(found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else "")


def offered_channels(workspace: Workspace) -> dict[str, Channel]:
    return {str(channel.pk): channel for channel in channels_of(workspace)[:CHANNELS_OFFERED]}


def chosen_channel(
    workspace: Workspace, wanted: Wanted, offered: dict[str, Channel]
) -> Channel | None:
    """Raises: ChannelNotFoundError."""
    if not wanted.channel:
        return None
    return offered.get(wanted.channel) or find_channel(workspace, wanted.channel)


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery in the list. `message_id` is set where its message has a page."""

    delivery: Delivery
    state: Look
    address: str
    reason: str
    next_try_at: datetime | None
    channel: Channel | None
    message_id: str


def page_of_deliveries(
    workspace: Workspace,
    wanted: Wanted,
    channel: Channel | None,
    *,
    now: datetime,
    offered: dict[str, Channel],
    operator: bool,
) -> Page[DeliveryRow]:
    """Raises: BadCursorError."""
    rows = Delivery.objects.filter(lane__workspace=workspace, pk__gte=uuid7(wanted.since(now)))
    if wanted.state:
        rows = rows.filter(state__in=STATES[wanted.state])
    if channel is not None:
        rows = rows.filter(signing_scope=str(channel.pk))
    rows = rows.select_related("event", "lane").defer("headers_json", "event__body")
    page = cut(rows.order_by("-pk"), wanted.before)
    known = _known_messages(workspace, page.rows)
    shown = [
        DeliveryRow(
            delivery=row,
            state=state_of(row),
            address=shown_address(row.url),
            reason=_reason(row, operator=operator),
            next_try_at=_next_try(row),
            channel=channel or offered.get(row.signing_scope),
            message_id=row.event.reference if row.event.reference in known else "",
        )
        for row in page.rows
    ]
    return Page(shown, page.next_cursor)


def _known_messages(workspace: Workspace, rows: Sequence[Delivery]) -> set[str]:
    ids = [found for row in rows if (found := parse_uuid(row.event.reference))]
    messages = Message.objects.filter(workspace=workspace, pk__in=ids)
    return {str(key) for key in messages.values_list("pk", flat=True)}


def _reason(row: Delivery, *, operator: bool) -> str:
    """Nothing has to be explained about an answer with 2xx."""
    plain = row.state == State.DELIVERED and not row.last_error
    return "" if plain else reason_of(row, operator=operator)


def _next_try(row: Delivery) -> datetime | None:
    """None for what is held back, too: that waits for a person."""
    waits = row.state == State.PENDING and row.lane.disabled_at is None
    return next_try_of(row) if waits else None


@dataclass(frozen=True)
class ExpiredRow:
    """A review that ended by its deadline. `told` is None where the agent has to ask."""

    review: ReviewRequest
    title: str
    kind: Look
    told: Look | None


def page_of_expired(
    workspace: Workspace, wanted: Wanted, channel: Channel | None, *, now: datetime
) -> Page[ExpiredRow]:
    """What ended in the range, ordered by when it was asked. Raises: BadCursorError."""
    since = wanted.since(now)
    asked = uuid7(since - settings.REVIEW_LONGEST_WAIT - timedelta(days=1))
    ended = reviews_of(workspace, channel).filter(
        status=Status.EXPIRED, message__gte=asked, decided_at__gte=since
    )
    page = cut(ended, wanted.before)
    told = _told(workspace, [str(review.pk) for review in page.rows])
    rows = [
        ExpiredRow(review, title_of(review), look_of(review), told.get(str(review.pk)))
        for review in page.rows
    ]
    return Page(rows, page.next_cursor)


def _told(workspace: Workspace, references: Sequence[str]) -> dict[str, Look]:
    """How the newest delivery about the end of each review stands."""
    if not references:
        return {}
    events = Event.objects.filter(
        workspace=workspace, reference__in=references, type="review:expired"
    )
    rows = Delivery.objects.filter(event__in=events).select_related("event", "lane")
    rows = rows.defer("headers_json", "event__body").order_by("created_at", "id")
    return {row.event.reference: state_of(row) for row in rows}
