"""The feed of events."""

from typing import Any

from api.placet.serializers.base import WireStruct


class EventOut(WireStruct):
    """`id` is the `webhook-id`, `data` the webhook's body; null once it was erased (30 days)."""

    id: str
    type: str
    channel_id: str
    created_at: str
    data: dict[str, Any] | None


class EventPageOut(WireStruct):
    """`cursor` is there also on the last page: keep it, and pass it as `after` next time."""

    events: list[EventOut]
    cursor: str
    has_more: bool
