"""API keys, as people see them (Placet contract 3.2)."""

from typing import Annotated

from msgspec import Meta

from api.placet.serializers.base import WireStruct


class KeyIn(WireStruct):
    label: Annotated[str, Meta(min_length=1, max_length=64)] = "Default"


class KeyOut(WireStruct):
    """`userId` is null for a key that no person made."""

    id: str
    user_id: str | None
    label: str
    key_prefix: str
    last_used_at: str | None
    created_at: str


class ClearKeyOut(KeyOut):
    """A new key. `key` is shown here and never again."""

    key: str
