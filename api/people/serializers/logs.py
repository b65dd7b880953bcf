"""The log of calls (Placet contract 3.2)."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from api.placet.serializers.base import WireStruct


class LogOut(WireStruct):
    """A call of an agent (inbound), or an attempt to reach one (outbound). Secrets are masked.

    `statusCode` is 0 where no answer came; `apiKeyId` and `userId`, who made that key, are null in
    outbound rows. Bodies are null where there was none, or where none is kept; of what is not JSON
    there are only facts. `responseBody` of an outbound row is what the receiver said first.
    """

    id: str
    api_key_id: str | None
    user_id: str | None
    method: str
    path: str
    request_body: Any
    response_body: Any
    status_code: Annotated[int, Meta(ge=0)]
    duration_ms: Annotated[int, Meta(ge=0)] | None
    direction: Literal["inbound", "outbound"]
    created_at: str


class LogPageOut(WireStruct):
    data: list[LogOut]
    next_cursor: str | None
