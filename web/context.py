"""What every page shows around its content."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, User, Workspace
from inbox.cutting import CountOf
from inbox.models import Channel
from inbox.queries import channels_of
from reviews.queries import pending_reviews
from web.shortcuts import keys_for

PINNED = 6


def workspace(request: HttpRequest) -> dict[str, Any]:
    """The sidebar's numbers and links; nothing for pages that are not about a workspace.

    Fragments show few of them and are rendered in pieces, so each is read when it is needed and
    once a request.
    """
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {}
    frame: dict[str, Any] | None = getattr(request, "frame", None)
    if frame is None:
        frame = _frame(membership)
        frame["shortcut_keys"] = json.dumps(keys_for(cast("User", request.user)))
        request.frame = frame  # type: ignore[attr-defined]
    return frame


def _frame(membership: Membership) -> dict[str, Any]:
    sidebar = SimpleLazyObject(partial(_Sidebar.read, membership.workspace))
    return {
        "workspace": membership.workspace,
        "membership": membership,
        "may_answer": membership.may_answer,
        "pending_count": SimpleLazyObject(lambda: sidebar.pending_count),
        "pinned_channels": SimpleLazyObject(lambda: sidebar.pinned),
    }


@dataclass(frozen=True)
class _Sidebar:
    pending_count: int
    pinned: Sequence[Channel]

    @classmethod
    def read(cls, workspace: Workspace) -> "_Sidebar":
        """Both in one statement. Without a channel there is no review."""
        number = CountOf(pending_reviews(workspace))
        pinned = list(channels_of(workspace).annotate(pending=number)[:PINNED])
        return cls(pinned[0].pending if pinned else 0, pinned)
