"""What every page shows around its content."""

import json
from functools import partial
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, User
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
    return {
        "workspace": membership.workspace,
        "membership": membership,
        "may_answer": membership.may_answer,
        "pending_count": SimpleLazyObject(partial(_pending_count, membership)),
        "pinned_channels": SimpleLazyObject(partial(_pinned_channels, membership)),
    }


def _pending_count(membership: Membership) -> int:
    return pending_reviews(membership.workspace).count()


def _pinned_channels(membership: Membership) -> list[Channel]:
    return list(channels_of(membership.workspace)[:PINNED])
