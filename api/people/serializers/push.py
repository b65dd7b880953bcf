"""Web push (Placet contract 3.2)."""

from typing import Annotated

from msgspec import Meta

from api.placet.serializers.base import WireStruct

Endpoint = Annotated[
    str,
    Meta(min_length=1, max_length=2048, description="`endpoint` of the browser's subscription."),
]
Encoded = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[A-Za-z0-9_-]+=*$")]


class PushKeysIn(WireStruct):
    p256dh: Annotated[Encoded, Meta(description="65 bytes in base64url.")]
    auth: Annotated[Encoded, Meta(description="16 bytes in base64url.")]


class SubscribeIn(WireStruct):
    """What `PushSubscription.toJSON()` gives; `expirationTime` is passed over."""

    endpoint: Endpoint
    keys: PushKeysIn


class UnsubscribeIn(WireStruct):
    endpoint: Endpoint


class VapidKeyOut(WireStruct):
    """`publicKey` is what a browser needs as `applicationServerKey`."""

    public_key: str
