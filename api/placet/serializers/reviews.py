"""A request for review, as it is sent and as it comes back (Placet contract 4.1)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.placet.serializers.base import Header, Url, WireStruct

Seconds = Annotated[int, Meta(gt=0, le=2**53 - 1)]


class CallbackIn(WireStruct):
    """A receiver for one review, used when neither message nor channel names one."""

    url: Url
    method: Annotated[str, Meta(max_length=10, description="POST (default), PUT or PATCH.")] = (
        "POST"
    )
    headers: dict[str, Header] = {}


class ReviewIn(WireStruct):
    """A question to a person. `payload` comes back exactly as it was sent."""

    type: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="approval, selection, form, text-input, freeform, or a name of your own.",
        ),
    ]
    payload: msgspec.Raw | UnsetType = UNSET
    callback: CallbackIn | None = None
    expires_at: (
        Annotated[str, Meta(description="ISO 8601; null means the default, 24 hours.")] | None
    ) = None
    expires_in_seconds: Seconds | UnsetType = UNSET


class CallbackOut(WireStruct):
    url: str
    method: str
    headers: dict[str, str]


class ReviewOut(WireStruct):
    """`response`, `completedAt`, `feedback` and `modifiedFileIds` are absent until answered."""

    type: str
    status: Literal["pending", "completed", "expired"]
    expires_at: str
    payload: dict[str, Any] | UnsetType = UNSET
    callback: CallbackOut | UnsetType = UNSET
    response: dict[str, Any] | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    feedback: str | UnsetType = UNSET
    modified_file_ids: dict[str, str] | UnsetType = UNSET
