"""Plugins, as people see them (Placet contract 3.6)."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from api.placet.serializers.base import WireStruct
from reviews.plugins.configuration import LONGEST_VALUE

Value = Annotated[str, Meta(max_length=LONGEST_VALUE)]


class RenderOut(WireStruct):
    """`html` stands in a frame with an origin of its own. A secret in `env` is a mark for it."""

    html: str
    env: dict[str, str]


class VariableOut(Struct, kw_only=True):
    """A value that the plugin takes."""

    key: str
    label: str
    required: bool
    default: str
    secret: bool
    description: str


class PluginConfigIn(WireStruct):
    """All values: what is left out gets its default again. A secret given as shown stays."""

    env_values: dict[str, Value]
    enabled: bool | UnsetType = UNSET


class PluginConfigOut(WireStruct):
    """Of a secret, only that there is one."""

    env_values: dict[str, str]
    enabled: bool


class PluginSetupOut(PluginConfigOut):
    env_schema: list[VariableOut]


class PluginFetchIn(WireStruct):
    """`{{secret:KEY}}` stands for a secret: the server puts it in."""

    url: Annotated[str, Meta(min_length=1, max_length=2048)]
    method: Annotated[str, Meta(max_length=16)] = "GET"
    headers: dict[str, Annotated[str, Meta(max_length=4096)]] | UnsetType = UNSET
    body: str | None = None


class PluginFetchOut(WireStruct):
    """What came of the call. Without an answer `status` is 0, and `error` says why."""

    ok: bool
    status: int
    status_text: str | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    body: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
