"""The two posts that are compared: ours, and the same as most would write it."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import Workspace


@dataclass(frozen=True)
class Post:
    """A request for approval, as it is sent again and again."""

    path: str
    key: str
    body: bytes


def posts(workspace: "Workspace") -> tuple[Post, Post]:
    """Ours, and the idiomatic one."""
    from django.utils import timezone

    from accounts.services import issue_key
    from bench.idiomatic import ROUTE
    from inbox.services.channels import create_channel

    key = issue_key(workspace=workspace, created_by=None, label="Bench").clear
    channel = create_channel(workspace=workspace, name="Bench", now=timezone.now())
    review = {"type": "approval", "payload": {"options": ["approve", "reject"]}}
    ours, plain = (
        json.dumps({name: str(channel.pk), "text": "Deploy?", "review": review}).encode()
        for name in ("channelId", "channel")
    )
    return Post("/api/v1/messages", key, ours), Post(ROUTE, key, plain)
