"""Reads of a conversation: messages with their reviews, files, steps and deliveries together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import parse_uuid
from accounts.models import Workspace
from attachments.models import Attachment
from delivery.models import Delivery
from delivery.queries import undelivered
from inbox.cutting import FEW, CountOf, count_of, first_of
from inbox.models import Channel, DeliveryStatus, Message, Sender, StatusEvent, Thread
from inbox.queries import (
    BadCursorError,
    MessageNotFoundError,
    channels_of,
    messages_in,
    messages_of_thread,
    page_of_messages,
    steps_of,
)
from reviews.models import ReviewRequest, Status
from reviews.plugins.choosing import Chooser
from reviews.queries import pending_reviews
from web.deliveries import DeliveryLine, line_of, state_of
from web.frames.places import Place, place_of
from web.looks import Look, look_of, state_look
from web.origins import (
    Platform,
    ThreadName,
    foreign_name,
    is_foreign,
    platform_of,
    thread_name,
    writer_of,
)
from web.queries import files_of
from web.text.titles import title_in

PAGE = 50
CONTEXT = PAGE // 2  # on either side of a message that somebody jumps to
CHANNELS_SHOWN = 200
PENDING_SHOWN = 10
JOINED_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Quote:
    """The message that another one answers, in a few words."""

    message: Message
    who: str
    words: str


@dataclass(frozen=True)
class LogEntry:
    """A message as the conversation shows it. The first one of a page always says whose it is."""

    message: Message
    review: ReviewRequest | None
    files: Sequence[Attachment]
    steps: Sequence[StatusEvent]
    delivery: DeliveryLine | None
    quote: Quote | None
    starts_day: bool
    joined: bool
    first: bool
    place: Place | None = None

    @property
    def kind(self) -> Look | None:
        return look_of(self.review) if self.review else None

    @property
    def state(self) -> Look | None:
        return state_look(self.review) if self.review else None

    @property
    def is_foreign(self) -> bool:
        return is_foreign(self.message)

    @property
    def author(self) -> str:
        """What somebody elsewhere is called there."""
        return foreign_name(self.message.source_author_name, self.message.source_author)

    @property
    def platform(self) -> Platform | None:
        """Where it was written, if not here."""
        return platform_of(self.message.source) if self.message.source else None

    @property
    def thread(self) -> ThreadName | None:
        return thread_name(self.message.thread) if self.message.thread else None

    @property
    def begins_thread(self) -> bool:
        thread = self.message.thread
        return thread is not None and thread.created_at == self.message.created_at


@dataclass(frozen=True)
class LogPage:
    """Some messages of a conversation, the oldest first. `is_latest` if none are newer."""

    entries: Sequence[LogEntry]
    earlier: str = ""
    is_latest: bool = True


@dataclass(frozen=True)
class Conversation:
    """One channel, or one thread of it, as somebody reads it.

    Operators learn what this server refuses to call.
    """

    workspace: Workspace
    channel: Channel
    thread: Thread | None = None
    operator: bool = False

    def page(self, *, before: str = "") -> LogPage:
        """Raises: BadCursorError."""
        page = page_of_messages(self._messages(), limit=PAGE, cursor=before or None)
        shown = list(reversed(page.messages))
        return LogPage(self._entries(None, shown), page.next_cursor or "", not before)

    def page_around(self, message: Message) -> LogPage:
        """A page with a message in its middle."""
        newer = self._messages().filter(pk__gt=message.pk).order_by("id")
        later = list(first_of(newer, CONTEXT + 1))
        page = page_of_messages(self._messages().filter(pk__lte=message.pk), limit=CONTEXT)
        shown = [*reversed(page.messages), *later[:CONTEXT]]
        entries = self._entries(None, shown)
        return LogPage(entries, page.next_cursor or "", is_latest=len(later) <= CONTEXT)

    def page_after(self, after: str) -> LogPage:
        """What came after a message, which may be gone by now: at most one page of it.

        Raises: BadCursorError.
        """
        shown = list(first_of(self._after(after).order_by("id"), PAGE))
        return LogPage(self._entries(self._before(shown[0]) if shown else None, shown))

    def count_after(self, after: str) -> int:
        """Raises: BadCursorError."""
        return count_of(self._after(after))

    def find(self, message_id: str) -> Message:
        """A message that stands in it.

        Raises: MessageNotFoundError.
        """
        wanted = parse_uuid(message_id)
        found = self._messages().filter(pk=wanted).first() if wanted else None
        if found is None:
            raise MessageNotFoundError("Message not found")
        return found

    def entry(self, message: Message, *, first: bool = False) -> LogEntry:
        """One message. `first` says that it stands on top of a page."""
        whole = self._messages().get(pk=message.pk)
        (entry,) = self._entries(None if first else self._before(whole), [whole])
        return entry

    def _everything(self) -> QuerySet[Message]:
        if self.thread is not None:
            return messages_of_thread(self.thread)
        return messages_in(self.workspace, self.channel)

    def _messages(self) -> QuerySet[Message]:
        related = ("author", "review", "thread", "reply_to", "reply_to__author")
        return self._everything().select_related(*related)

    def _after(self, after: str) -> QuerySet[Message]:
        return self._messages().filter(pk__gt=_cursor(after))

    def _before(self, message: Message) -> Message | None:
        return self._everything().filter(pk__lt=message.pk).first()

    def _entries(self, previous: Message | None, shown: Sequence[Message]) -> list[LogEntry]:
        files, steps = files_of(shown), steps_of(shown)
        waiting, chooser = self._undelivered(shown), Chooser(self.workspace)
        return [
            LogEntry(
                message=message,
                review=getattr(message, "review", None),
                files=files[message.pk],
                steps=steps.get((message.channel_id, message.stream_id or ""), []),
                delivery=waiting.get(str(message.pk)),
                quote=quote_of(message.reply_to, self.channel) if message.reply_to else None,
                starts_day=earlier is None or _day(earlier) != _day(message),
                joined=earlier is not None and _joins(earlier, message),
                first=earlier is None,
                place=_place(chooser, message, files[message.pk]),
            )
            for earlier, message in zip([previous, *shown], shown, strict=False)
        ]

    def _undelivered(self, messages: Sequence[Message]) -> dict[str, DeliveryLine]:
        """How it stands with what people wrote and the agent has not received."""
        written = [str(message.pk) for message in messages if _may_be_missing(message)]
        rows = undelivered(self.workspace, written) if written else {}
        return {key: _short_line(row, operator=self.operator) for key, row in rows.items()}


def _place(chooser: Chooser, message: Message, files: Sequence[Attachment]) -> Place | None:
    """Where the plugin of an agent's message goes. Answers are given in the review."""
    if message.sender != Sender.AGENT:
        return None
    return place_of(chooser.choose(message, getattr(message, "review", None)), files)


def _short_line(row: Delivery, *, operator: bool) -> DeliveryLine:
    """A message has room for a chip, not for a sentence."""
    look = state_of(row)
    line = line_of(row, operator=operator)
    return replace(line, label=look.label, tone=look.tone, icon=look.icon)


def _may_be_missing(message: Message) -> bool:
    """What the agent acknowledged it has, however its webhook does."""
    acknowledged = message.delivery_status == DeliveryStatus.ACKNOWLEDGED
    return message.sender == Sender.USER and not acknowledged


def quote_of(message: Message, channel: Channel) -> Quote:
    words = title_in(message.text) or _("A message without words")
    return Quote(message, writer_of(message, channel), words)


def _cursor(text: str) -> UUID:
    after = parse_uuid(text)
    if after is None:
        raise BadCursorError("after must be a message id", path=("after",))
    return after


def _day(message: Message) -> Any:
    return timezone.localtime(message.created_at).date()


def _joins(previous: Message, message: Message) -> bool:
    """The same voice in the same thread within five minutes shares one header."""
    gap: timedelta = message.created_at - previous.created_at
    same = _voice(previous) == _voice(message)
    return same and gap < JOINED_WITHIN and _day(previous) == _day(message)


def _voice(message: Message) -> tuple[object, ...]:
    """Who spoke, and where: names are claimed, so equal ones alone are not the same person."""
    elsewhere = (message.source, message.source_author, message.source_author_name)
    return message.sender, message.author_id, message.thread_id, *elsewhere


def pending_in(
    workspace: Workspace, channel: Channel, thread: Thread | None = None
) -> list[ReviewRequest]:
    pending = pending_reviews(workspace, channel)
    wanted = pending.filter(message__thread=thread) if thread else pending
    return list(first_of(wanted, PENDING_SHOWN))


def channels_by_activity(workspace: Workspace, only: Channel | None = None) -> list[Any]:
    """Channels with their last message and `open_reviews`, the latest activity first."""
    last = Message.objects.filter(channel=OuterRef("pk")).order_by("-id")[:1]
    pending = ReviewRequest.objects.filter(channel=OuterRef("pk"), status=Status.PENDING)
    wanted = channels_of(workspace)
    rows = (wanted.filter(pk=only.pk) if only else wanted).annotate(
        last_text=Subquery(last.values("text")),
        last_sender=Subquery(last.values("sender")),
        last_source=Subquery(last.values("source")),
        last_author=Subquery(last.values("source_author")),
        last_author_name=Subquery(last.values("source_author_name")),
        last_at=Coalesce(
            Subquery(last.values("created_at")), "created_at", output_field=DateTimeField()
        ),
        open_reviews=CountOf(pending, most=FEW),
    )
    return list(rows.order_by("-last_at", "-id")[:CHANNELS_SHOWN])
