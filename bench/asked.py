"""Reviews that call back, for programs that measure how their ends are told."""

import copy
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bench.receivers import Receivers

if TYPE_CHECKING:
    from accounts.models import Workspace
    from inbox.models import Channel, Message

CHANNELS_AN_ORIGIN = 4
CHUNK = 1000


def pending(workspace: "Workspace", ports: Sequence[int], count: int) -> list[str]:
    """Open reviews that call back, spread over ports and channels; returns their ids.

    One of each channel is made as the product makes it, the others are copies of its rows.
    """
    from django.db import transaction
    from django.utils import timezone

    from accounts.models import new_id
    from inbox.models import Message
    from inbox.services.channels import create_channel
    from reviews.models import ReviewRequest

    messages, reviews, now = [], [], timezone.now()
    with transaction.atomic():
        asked = [
            _ask(create_channel(workspace=workspace, name="Bench", now=now), port)
            for port in ports
            for _ in range(CHANNELS_AN_ORIGIN)
        ]
        for number in range(len(asked), count):
            message = copy.copy(asked[number % len(asked)])
            review = copy.copy(message.review)
            message.pk, review.message = new_id(), message
            messages.append(message)
            reviews.append(review)
        Message.objects.bulk_create(messages, batch_size=CHUNK)
        ReviewRequest.objects.bulk_create(reviews, batch_size=CHUNK)
    return [str(message.pk) for message in [*asked, *messages]][:count]


def _ask(channel: "Channel", port: int) -> "Message":
    from django.utils import timezone

    from inbox.models import Sender
    from inbox.services.messages import Draft, post_message
    from reviews.services import Callback, ReviewSpec, request_review

    now = timezone.now()
    callback = Callback(url=f"http://127.0.0.1:{port}/x", method="POST", headers={})
    spec = ReviewSpec(kind="approval", callback=callback)
    ask = Draft(carrying=[partial(request_review, spec=spec, now=now)])
    return post_message(channel=channel, sender=Sender.AGENT, draft=ask, now=now).message


def overdue(workspace: "Workspace", ports: Sequence[int], count: int) -> None:
    """Callbacks that wait for a worker: reviews that nobody answered, expired."""
    from django.utils import timezone

    from reviews.models import ReviewRequest, Status
    from reviews.services import expire_due

    pending(workspace, ports, count)
    waiting = ReviewRequest.objects.filter(status=Status.PENDING)
    waiting.update(expires_at=timezone.now() - timedelta(seconds=1))
    while expire_due(limit=200):
        pass


def decide(ids: list[str], *, a_second: int) -> dict[str, int]:
    """Have another process decide; returns when each was committed."""
    command = [sys.executable, "-m", "bench.decide", str(a_second)]
    done = subprocess.run(  # noqa: S603  # our own command line
        command, input=" ".join(ids), stdout=subprocess.PIPE, text=True, check=True
    )
    committed: dict[str, int] = json.loads(done.stdout)
    return committed


def waits(
    committed: Mapping[str, int], running: Receivers, ports: Sequence[int] | None = None
) -> list[float]:
    """Milliseconds from commit to first arrival, sorted. All must have arrived."""
    first: dict[str, int] = {}
    for _, message_id, at in running.end():
        first.setdefault(message_id, at)
    to_these = {
        message_id for port, message_id, _ in running.arrivals if ports is None or port in ports
    }
    return sorted((first[key] - at) / 1e6 for key, at in committed.items() if key in to_these)


def percentile(taken: Sequence[float], percent: int) -> float:
    """Of sorted values."""
    return taken[len(taken) * percent // 100]
