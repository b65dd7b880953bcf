"""Looking at a review for a waiting call: once for all who wait for the same one."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.utils import timezone

from accounts.models import Workspace
from api.placet.outbound import review_topic
from api.placet.views.reviews import current_review, outcome_body
from delivery.listener import Listener
from delivery.threads import in_thread
from inbox.models import Channel
from reviews.queries import pending_until


@dataclass(frozen=True)
class Target:
    """What is waited for, by whom."""

    workspace: Workspace
    channel: Channel | None
    message_id: str

    @property
    def identity(self) -> tuple[uuid.UUID, uuid.UUID | None, str]:
        channel_id = None if self.channel is None else self.channel.pk
        return self.workspace.pk, channel_id, self.message_id


@dataclass(frozen=True)
class Look:
    """What a look found: an outcome to answer with, or the deadline to look again at."""

    outcome: bytes | None
    expires_at: datetime


class Looks:
    """Joins calls that look at the same review at the same moment.

    A running look may be joined only if no notice came since it began: what happened before that
    it sees, and what happens later comes with a notice to whoever joined.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._running: dict[tuple[object, ...], asyncio.Task[Look]] = {}

    async def join(self, target: Target) -> Look:
        """Raises: MessageNotFoundError, NoReviewError."""
        topic = review_topic(target.message_id.lower())
        identity = (*target.identity, self._listener.last_notice(topic))
        running = self._running.get(identity)
        if running is None:
            running = asyncio.create_task(in_thread(look, target))
            self._running[identity] = running
            running.add_done_callback(lambda _: self._running.pop(identity, None))
        return await asyncio.shield(running)  # one client's leaving must not end it for others


def look(target: Target) -> Look:
    """One look, in a thread: a short statement as long as the review is open.

    Raises: MessageNotFoundError, NoReviewError.
    """
    expires_at = pending_until(target.workspace, target.message_id, target.channel)
    if expires_at is not None and expires_at > timezone.now():
        return Look(None, expires_at)
    review = current_review(target.workspace, target.message_id, target.channel)
    outcome = None if review.is_pending else orjson.dumps(outcome_body(review))
    return Look(outcome, review.expires_at)
