"""Which address learns of a decision or a person's message, and with which headers."""

import base64

from delivery.egress import origin_of
from delivery.outbox import Target
from inbox.models import Channel
from reviews.models import ReviewRequest


def review_target(review: ReviewRequest) -> Target | None:
    """Who learns how a review ended: the message's address, the channel's, the callback (5.1)."""
    channel, own_url = review.channel, review.message.webhook_url
    if own_url:
        same_host = channel.webhook_url and origin_of(own_url) == origin_of(channel.webhook_url)
        return Target(url=own_url, headers=_channel_headers(channel) if same_host else {})
    if channel.webhook_url:
        return channel_target(channel)
    if review.callback_url:
        return Target(
            url=review.callback_url,
            method=review.callback_method,
            headers=review.callback_headers,
        )
    return None


def channel_target(channel: Channel) -> Target | None:
    """The channel's webhook, if it has one."""
    if not channel.webhook_url:
        return None
    return Target(url=channel.webhook_url, headers=_channel_headers(channel))


def _channel_headers(channel: Channel) -> dict[str, str]:
    """Basic login first, then the channel's own headers, which may replace it (5.2)."""
    headers: dict[str, str] = {}
    if channel.webhook_username and channel.webhook_password:
        login = f"{channel.webhook_username}:{channel.webhook_password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
    for name, value in (channel.webhook_headers or {}).items():
        if name.lower() == "authorization":
            headers.pop("Authorization", None)
        headers[name] = value
    return headers
