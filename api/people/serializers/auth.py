"""Signing in (Placet contract 3.1)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.placet.serializers.base import WireStruct

Email = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
NewPassword = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=1024,
        description="At least 8 characters, and none that everybody uses.",
    ),
]


class LoginIn(WireStruct):
    email: Email
    password: Password


class PersonOut(WireStruct):
    """A person in the workspace that the call is about. `role` is empty without a workspace."""

    id: str
    email: str
    display_name: str
    role: str
    must_change_password: bool | UnsetType = UNSET


class SignedInOut(WireStruct):
    user: PersonOut


class ChangePasswordIn(WireStruct):
    current_password: Password
    new_password: NewPassword


class TextOut(WireStruct):
    message: str


class TicketOut(WireStruct):
    token: str
    expires_in: Annotated[int, Meta(description="Seconds.")]
