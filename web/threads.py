"""The threads of a channel, for whoever looks for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from inbox.models import Channel, Message, Thread
from web.origins import ThreadName, thread_name

SHOWN = 50
# A channel can have very many threads: only these are compared by their latest message.
NEWEST = 200
LATEST_MESSAGES = 500


@dataclass(frozen=True)
class ThreadRow:
    called: ThreadName
    last_at: datetime


def thread_rows(channel: Channel) -> Sequence[ThreadRow]:
    """The threads with the latest messages, and the newest ones; the latest activity first."""
    return [ThreadRow(thread_name(each), each.last_at) for each in _by_activity(channel)]


def _by_activity(channel: Channel) -> Sequence[Any]:
    last = Message.objects.filter(thread=OuterRef("pk")).order_by("-id").values("created_at")[:1]
    last_at = Coalesce(Subquery(last), "created_at", output_field=DateTimeField())
    wanted = Thread.objects.filter(pk__in=_candidates(channel)).annotate(last_at=last_at)
    return list(wanted.order_by("-last_at", "-id")[:SHOWN])


def _candidates(channel: Channel) -> QuerySet[Any, Any]:
    """Ids of threads. A union, because "one or the other" would look at every thread."""
    begun = Thread.objects.filter(channel=channel).order_by("-id").values("pk")[:NEWEST]
    said = Message.objects.filter(channel=channel).order_by("-id").values("thread")
    newest = Thread.objects.filter(pk__in=begun).values("pk")
    lively = Thread.objects.filter(pk__in=said[:LATEST_MESSAGES]).values("pk")
    return newest.union(lively)
