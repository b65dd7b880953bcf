"""People, channels and messages for tests: plain functions, each with sensible defaults."""

import hashlib
import itertools
import json
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from accounts.ids import uuid7
from accounts.models import Membership, Role, Session, User, Workspace
from accounts.services import IssuedKey, issue_key
from accounts.tickets import issue_ticket
from api.models import Call
from attachments.models import Attachment
from attachments.services import NewFile, store_file
from delivery.models import Attempt, Delivery
from inbox.models import Channel, Message, Sender, Thread
from inbox.services.channels import create_channel
from inbox.services.messages import Draft, post_message
from reviews.models import ReviewRequest
from reviews.services import ReviewSpec, request_review

PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def make_workspace(name: str = "Northwind") -> Workspace:
    return Workspace.objects.create(name=name)


def make_person(workspace: Workspace | None = None, role: Role = Role.OWNER, **over: Any) -> User:
    """A person who can sign in with PASSWORD, with a role in a workspace."""
    number = next(_numbers)
    fields = {"email": f"person{number}@example.org", "display_name": f"Person {number}"} | over
    user = User.objects.create_user(password=PASSWORD, **fields)
    Membership.objects.create(workspace=workspace or make_workspace(), user=user, role=role)
    return user


def make_session(user: User, **over: Any) -> Session:
    """A session as a browser opens it by signing in."""
    before = list(Session.objects.values_list("pk", flat=True))
    Client().force_login(user)
    session = Session.objects.exclude(pk__in=before).get()
    for name, value in over.items():
        setattr(session, name, value)
    session.save()
    return session


def make_ticket(user: User) -> str:
    """A ticket of a signed-in person."""
    return issue_ticket(user, make_session(user).pk)


def workspace_of(user: User) -> Workspace:
    return user.memberships.get().workspace


def make_key(workspace: Workspace | None = None) -> IssuedKey:
    return issue_key(workspace=workspace or make_workspace(), created_by=None, label="Test")


def make_channel(workspace: Workspace | None = None, **over: Any) -> Channel:
    fields: dict[str, Any] = {"name": "Atlas", "now": timezone.now()} | over
    return create_channel(workspace=workspace or make_workspace(), **fields)


def make_message(
    channel: Channel | None = None,
    *,
    sender: Sender = Sender.AGENT,
    author: User | None = None,
    now: datetime | None = None,
    **draft: Any,
) -> Message:
    return post_message(
        channel=channel or make_channel(),
        sender=sender,
        author=author,
        draft=Draft(**({"text": "Hello"} | draft)),
        now=now or timezone.now(),
    ).message


def make_thread(channel: Channel | None = None, **over: Any) -> Thread:
    """A thread without messages: a conversation, or a room of another platform by `foreign_id`."""
    fields: dict[str, Any] = {"source": "conversation"} | over
    return Thread.objects.create(channel=channel or make_channel(), **fields)


def make_review(
    kind: str = "approval",
    payload: Any = None,
    *,
    channel: Channel | None = None,
    expires_in: timedelta = timedelta(hours=1),
    now: datetime | None = None,
    spec: dict[str, Any] | None = None,
    **draft: Any,
) -> ReviewRequest:
    """A pending review on a message of its own. A negative `expires_in` makes it overdue."""
    asked_at = (now or timezone.now()) + min(expires_in, timedelta(0)) * 2

    def ask(message: Message) -> object:
        return request_review(
            message,
            spec=ReviewSpec(
                kind=kind,
                payload_json=None if payload is None else json.dumps(payload),
                expires_at=asked_at + abs(expires_in),
                **(spec or {}),
            ),
            now=asked_at,
        )

    message = make_message(channel, now=asked_at, carrying=[ask], **draft)
    return ReviewRequest.objects.select_related("message", "channel").get(pk=message.pk)


def make_file(
    channel: Channel | None = None,
    *,
    content: bytes = b"hello",
    filename: str = "a.txt",
    mime_type: str = "text/plain",
    message: Message | None = None,
    **over: Any,
) -> Attachment:
    """A stored file with its bytes, on a message if one is given."""
    digest = hashlib.sha256(content).hexdigest()
    new = NewFile(filename, mime_type, len(content), digest, ContentFile(content))
    file = store_file(channel or make_channel(), file=new, key=None, now=timezone.now())
    Attachment.objects.filter(pk=file.pk).update(message=message, **over)
    file.refresh_from_db()
    return file


def make_attempt(review: ReviewRequest, at: datetime, **over: Any) -> Attempt:
    """One request about the end of a review whose channel has a webhook."""
    delivery = Delivery.objects.filter(event__reference=str(review.pk)).latest("created_at")
    fields = {
        "number": delivery.attempt_log.count() + 1,
        "token": delivery.pk,
        "started_at": at,
        "ended_at": at,
        "http_status": 200,
        "duration_ms": 12,
    }
    return Attempt.objects.create(delivery=delivery, **(fields | over))


def make_call(workspace: Workspace, at: datetime, **over: Any) -> Call:
    """A row of the API's log."""
    fields = {
        "id": uuid7(at),
        "created_at": at,
        "workspace": workspace,
        "key_id": workspace.pk,
        "key_prefix": "hp_abcdefgh",
        "method": "GET",
        "route": "api/v1/agents",
        "path": "/api/v1/agents",
        "status": 200,
        "duration_ms": 3,
        "request_bytes": 0,
        "address": "127.0.0.1",
    }
    return Call.objects.create(**(fields | over))
