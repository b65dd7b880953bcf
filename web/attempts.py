"""What pages do about guessing, which `accounts.attempts` counts: know browsers, say when."""

import functools
import secrets
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.attempts import (
    DEVICE_SALT,
    TooManyAttemptsError,
    account_mark,
    forget_slips,
    known_device,
)
from accounts.models import User
from web.sessions import set_lasting_cookie


def welcome(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Somebody signed in: their slips are forgotten, and their browser is known from now on."""
    forget_slips(request, user)
    account = account_mark(user.email)
    device = known_device(request, account) or secrets.token_urlsafe(16)
    value = f"{account}.{device}"
    set_lasting_cookie(response, settings.DEVICE_COOKIE_NAME, value, salt=DEVICE_SALT)


def answers_guessing[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Say when to try again, with 429."""

    @functools.wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except TooManyAttemptsError as refusal:
            return _wait_page(request, refusal)

    return cast("View", page)


def _wait_page(request: HttpRequest, refusal: TooManyAttemptsError) -> HttpResponse:
    """A page, or for a script `{"error": text}`."""
    reason = {"error": str(refusal)}
    if request.headers.get("HX-Request") == "true":
        response: HttpResponse = JsonResponse(reason, status=429)
    else:
        response = render(request, "429.html", reason, status=429)
    response.headers["Retry-After"] = str(refusal.seconds)
    response.headers["Cache-Control"] = "no-store"
    return response
