"""A person's devices as the settings show them, and what a browser posts about itself."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from delivery.push.keys import live_key
from delivery.push.subscriptions import Offer, SubscriptionRefusedError, devices_of


def devices_context(user: User) -> dict[str, Any]:
    """What templates/settings/devices.html needs."""
    return {
        "devices": list(devices_of(user).select_related("key").defer("key__private_key")),
        "push_key": live_key().public_key,
    }


def read_offer(request: HttpRequest) -> Offer:
    """What a browser posted: its `PushSubscription` as JSON, or the same as fields of a form.

    Raises: SubscriptionRefusedError.
    """
    posted: Any = _json(request) if is_json(request) else request.POST.dict()
    keys = posted.get("keys", posted)
    given = [posted.get("endpoint")]
    if isinstance(keys, dict):
        given += [keys.get("p256dh"), keys.get("auth")]
    texts = [text for text in given if isinstance(text, str) and "\0" not in text]
    if len(texts) != len(("endpoint", "p256dh", "auth")):
        raise SubscriptionRefusedError(_("Send endpoint, keys.p256dh and keys.auth as strings."))
    return Offer(*texts)


def is_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json"


def _json(request: HttpRequest) -> dict[str, Any]:
    """Raises: SubscriptionRefusedError."""
    try:
        posted = json.loads(request.body)
    except (ValueError, RecursionError):
        posted = None
    if not isinstance(posted, dict):
        raise SubscriptionRefusedError(_("The body is no JSON object."))
    return posted
