"""`python -m tests.chaos.inside`: reads `[name, arguments]` lines, answers `[result, problem]`.

Runs in the stack's environment. It makes what scenes begin with; nothing here is under test.
"""

import json
import sys
import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import django

django.setup()

from django.db import close_old_connections, connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Membership, Role, User, Workspace  # noqa: E402
from accounts.services import issue_key  # noqa: E402
from config.celery import app  # noqa: E402
from delivery.keys import ensure_secret  # noqa: E402
from delivery.models import Delivery, EngineBeat, State  # noqa: E402
from inbox.models import Channel, Message, Sender  # noqa: E402
from inbox.services.channels import create_channel  # noqa: E402
from inbox.services.messages import Draft, post_message  # noqa: E402
from reviews import resending  # noqa: E402
from reviews.models import ReviewRequest  # noqa: E402
from reviews.services import ReviewSpec, request_review  # noqa: E402


def make_workspace(*, name: str, key: str, people: int, password: str) -> list[str]:
    workspace = Workspace.objects.create(name=name)
    issue_key(workspace=workspace, created_by=None, label="Chaos", clear=key)
    emails = [f"{name.lower()}{number}@example.org" for number in range(people)]
    for email in emails:
        user = User.objects.create_user(
            email=email, password=password, display_name=email.split("@")[0]
        )
        Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    return emails


def make_channel(*, workspace: str, name: str, url: str) -> dict[str, str]:
    owner = Workspace.objects.get(name=workspace)
    channel = create_channel(
        workspace=owner, name=name, now=timezone.now(), webhook_url=url or None
    )
    secret = ensure_secret(workspace_id=owner.pk, scope=str(channel.pk))
    return {"id": str(channel.pk), "secret": str(secret.secret)}


@transaction.atomic
def make_reviews(*, channels: list[str], count: int, seconds: float, spread: float) -> list[str]:
    now, homes = timezone.now(), [Channel.objects.get(pk=channel) for channel in channels]
    spec = ReviewSpec(kind="approval", expires_at=now + timedelta(hours=1))
    asked = [partial(request_review, spec=spec, now=now)]
    messages = [
        post_message(
            channel=homes[number % len(homes)],
            sender=Sender.AGENT,
            draft=Draft(text=f"Due {number}", carrying=asked),
            now=now,
        ).message
        for number in range(count)
    ]
    ids = [str(message.pk) for message in messages]
    set_deadlines(reviews=ids, seconds=seconds, spread=spread)
    return ids


@transaction.atomic
def set_deadlines(*, reviews: list[str], seconds: float, spread: float) -> None:
    """From the moment this is done, however long it took to make them."""
    rows = list(ReviewRequest.objects.filter(pk__in=map(uuid.UUID, reviews)).order_by("pk"))
    first = timezone.now() + timedelta(seconds=seconds)
    for number, row in enumerate(rows):
        row.expires_at = first + timedelta(seconds=spread * number / len(rows))
    ReviewRequest.objects.bulk_update(rows, ["expires_at"], batch_size=500)


def resend_failed(*, channel: str, since: str) -> int:
    """What the receiver's page does for "Replay what failed"."""
    return resending.resend_failed(
        Channel.objects.get(pk=channel), since=datetime.fromisoformat(since), now=timezone.now()
    )


def resend_missing(*, channel: str) -> int:
    """The first one switches the receiver on again, so others may arrive by themselves."""
    missing = Delivery.objects.filter(signing_scope=channel)
    sent = 0
    for reference in missing.values_list("event__reference", flat=True).distinct():
        arrived = Delivery.objects.filter(event__reference=reference, state=State.DELIVERED)
        if not arrived.exists():
            resending.resend(
                Message.objects.select_related("channel").get(pk=reference), now=timezone.now()
            )
            sent += 1
    return sent


def hint() -> None:
    for name in ("delivery.tick_deliver", "reviews.tick_expire"):
        app.send_task(name, expires=2, retry=False, ignore_result=True)


def beats() -> list[str]:
    return list(EngineBeat.objects.values_list("name", flat=True))


COMMANDS = {
    command.__name__: command
    for command in (
        make_workspace,
        make_channel,
        make_reviews,
        set_deadlines,
        resend_failed,
        resend_missing,
        hint,
        beats,
    )
}


def answer(line: str) -> tuple[Any, str]:
    name, arguments = json.loads(line)
    close_old_connections()
    try:
        return COMMANDS[name](**arguments), ""
    except Exception as failure:  # noqa: BLE001  # the caller raises it again
        connection.close()
        return None, f"{name}: {type(failure).__name__}: {failure}"


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)  # noqa: T201  # the answer
