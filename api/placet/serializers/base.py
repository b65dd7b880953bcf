"""Types and structs that several operations share."""

from typing import Annotated

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
ChannelId = Annotated[str, Meta(min_length=1, max_length=300, description="Id of an agent.")]
ClientId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="The same value again returns the stored message.",
    ),
]
Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        pattern="^[Hh][Tt][Tt][Pp][Ss]?://",
        description="An absolute http or https URL.",
    ),
]
Header = Annotated[str, Meta(max_length=4096)]


class WireStruct(Struct, rename="camel", kw_only=True):
    """Camel case on the wire, snake case here."""


class DeletedOut(WireStruct):
    deleted: bool


class FaultOut(WireStruct):
    code: str
    message: str
    path: list[str | int]


class ErrorOut(WireStruct):
    """Every error of this API."""

    status_code: int
    message: str
    errors: list[FaultOut]
    timestamp: str
    path: str
