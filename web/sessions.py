"""A person's sessions as the pages deal with them: when they are used, and how they end.

A session that somebody ends takes along its event streams, its sockets, and the notifications of
its browser. One that only expires leaves the notifications on: reviews should not go unnoticed
because nobody opened a page for two weeks. A cookie tells the next session which they are.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.addresses import address_of_request
from accounts.models import Session, User
from accounts.queries import sessions_of
from accounts.services.sessions import TOPIC, delete_sessions, note_seen
from accounts.sessions import row_of
from accounts.signals import PUSH_SALT
from delivery.bus import publish_after_commit
from delivery.models import PushSubscription
from delivery.push.subscriptions import devices_of

YEAR = 365 * 24 * 3600


class LastSeenMiddleware:
    """Notes that a session is used, once its page is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = row_of(request)
        if session is not None and request.session.session_key:
            address = address_of_request(request.META)
            note_seen(session, address=address, now=timezone.now())
        return response


@transaction.atomic
def end_sessions(user: User, sessions: Iterable[Session]) -> None:
    """End some of a person's sessions, and what was opened in them."""
    devices = delete_sessions(sessions)
    if devices:
        devices_of(user).filter(pk__in=devices).delete()
    publish_after_commit(TOPIC, user=str(user.pk))


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """All but the one at hand."""
    here = request.session.key_hash  # type: ignore[attr-defined]  # our engine's
    end_sessions(user, sessions_of(user).exclude(key_hash=here))


@receiver(user_logged_out)
def _end_this(request: HttpRequest, user: User | None, **_: Any) -> None:
    session = row_of(request)
    if user is not None and session is not None:
        end_sessions(user, [session])


def notify_here(request: HttpRequest, response: HttpResponse, device: PushSubscription) -> None:
    """Bind a device to the session at hand, and to those that follow in this browser."""
    session = row_of(request)
    if session is not None:
        Session.objects.filter(pk=session.pk).update(push_device=device.pk)
        session.push_device = device.pk
    set_lasting_cookie(response, settings.PUSH_COOKIE_NAME, str(device.pk), salt=PUSH_SALT)


def set_lasting_cookie(response: HttpResponse, name: str, value: str, *, salt: str) -> None:
    response.set_signed_cookie(
        name,
        value,
        salt=salt,
        max_age=YEAR,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
