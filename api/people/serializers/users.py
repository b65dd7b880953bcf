"""People of a workspace (Placet contract 3.2)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from api.people.serializers.auth import Email, NewPassword
from api.placet.serializers.base import WireStruct

DisplayName = Annotated[str, Meta(min_length=1, max_length=100)]
RoleIn = Annotated[
    Literal["owner", "admin", "reviewer", "viewer", "member"],
    Meta(description="`member`, Placet's word, means reviewer."),
]


class UserIn(WireStruct):
    """Somebody new. They have to change the password when they first sign in."""

    email: Email
    display_name: DisplayName
    password: NewPassword
    role: RoleIn = "reviewer"


class UserPatchIn(WireStruct):
    """People change their own name only."""

    display_name: DisplayName | UnsetType = UNSET
    role: RoleIn | UnsetType = UNSET


class UserOut(WireStruct):
    id: str
    email: str
    display_name: str
    role: Literal["owner", "admin", "reviewer", "viewer"]
    must_change_password: bool
    created_at: str
