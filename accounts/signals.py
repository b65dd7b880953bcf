"""What is written down when somebody signs in, or tries to. Never a password."""

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.addresses import UNKNOWN, address_of_request
from accounts.ids import parse_uuid
from accounts.models import Session, User, normal_email

logger = logging.getLogger(__name__)

PUSH_SALT = "accounts.sessions.push"
LONGEST_AGENT = 400
NOT_TEXT = dict.fromkeys(range(32))


@receiver(user_logged_in)
def _note_session(request: HttpRequest, user: User, **_: Any) -> None:
    """The row of the session tells where it was opened, once the response saves it."""
    request.session.row = new_row(request, timezone.now())  # type: ignore[attr-defined]
    logger.info("signed in: account=%s address=%s", user.pk, address_of_request(request.META))


def new_row(request: HttpRequest, now: datetime) -> Session:
    agent = str(request.META.get("HTTP_USER_AGENT", "")).translate(NOT_TEXT)
    pushed = request.get_signed_cookie(settings.PUSH_COOKIE_NAME, default="", salt=PUSH_SALT)
    return Session(
        user_agent=agent[:LONGEST_AGENT],
        address=address_of_request(request.META),
        push_device=parse_uuid(pushed or ""),
        signed_in_at=now,
        last_seen_at=now,
    )


@receiver(user_login_failed)
def _log_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Names an account only if there is one: what was typed may be a password."""
    typed = normal_email(str(credentials.get("username") or ""))
    account = User.objects.filter(email=typed).values_list("pk", flat=True).first()
    address = UNKNOWN if request is None else address_of_request(request.META)
    logger.warning("sign-in failed: account=%s address=%s", account or "none", address)
