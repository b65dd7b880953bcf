"""What webhook signatures are checked with."""

from typing import Annotated, Literal

from msgspec import Meta

from api.placet.serializers.base import WireStruct


class RotateIn(WireStruct):
    """How long the secret before still signs. 0 ends it, and all older ones, at once."""

    overlap_hours: Annotated[int, Meta(ge=0, le=168)] = 24


class SecretOut(WireStruct):
    secret: str
    created_at: str
    expires_at: str | None


class SecretsOut(WireStruct):
    """The live secret stands first. `keysUrl` shows the public keys, for who wants no secret."""

    secrets: list[SecretOut]
    public_key: str
    keys_url: str


class WebhookKeyOut(WireStruct):
    id: str
    algorithm: Literal["ed25519"]
    public_key: str
    valid_from: str
    valid_until: str | None


class WebhookKeysOut(WireStruct):
    """The live key stands first; keys that have ended are left out."""

    keys: list[WebhookKeyOut]
