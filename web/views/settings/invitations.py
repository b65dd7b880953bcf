"""The page behind an invitation's link: for somebody new, or for who is signed in."""

from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.attempts import count_invitation
from accounts.models import Invitation, Membership, User
from accounts.queries import invitation_for_token
from accounts.services.invitations import (
    InvitationGoneError,
    NotNewError,
    OtherPersonError,
    join,
    join_as_new,
)
from web.access import choose_workspace
from web.attempts import answers_guessing, welcome
from web.redirects import SeeOther
from web.settings_forms import JoinForm

BACKEND = "accounts.backends.PersonBackend"


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@answers_guessing
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Look at an invitation, or accept it. Whatever is wrong with a link looks the same.

    Raises: TooManyAttemptsError.
    """
    count_invitation(request)
    found = invitation_for_token(token, now=timezone.now())
    if found is None:
        return _gone(request, InvitationGoneError().message)
    try:
        return _accept(request, found) if request.method == "POST" else _page(request, found)
    except InvitationGoneError as refusal:
        return _gone(request, refusal.message)


def _accept(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Raises: InvitationGoneError."""
    if isinstance(request.user, User):
        return _join(request, found, request.user)
    form = JoinForm(request.POST, email=found.email)
    if not form.is_valid():
        return _page(request, found, status=422, form=form)
    try:
        membership = join_as_new(
            found,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            now=timezone.now(),
        )
    except NotNewError as refusal:
        form.add_error(None, refusal.message)
        return _page(request, found, status=409, form=form)
    login(request, membership.user, backend=BACKEND)
    response = _inside(request, membership)
    welcome(request, response, membership.user)
    return response


def _join(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    """Raises: InvitationGoneError."""
    try:
        membership = join(found, user=user, now=timezone.now())
    except OtherPersonError:
        return _page(request, found, status=409)
    return _inside(request, membership)


def _inside(request: HttpRequest, membership: Membership) -> HttpResponse:
    choose_workspace(request, membership)
    return SeeOther(reverse("web:inbox"))


def _page(
    request: HttpRequest, found: Invitation, *, status: int = 200, **context: Any
) -> HttpResponse:
    own = isinstance(request.user, User) and request.user.email == found.email
    shown = {"invitation": found, "form": JoinForm(email=found.email), "own": own} | context
    return render(request, "settings/invitation.html", shown, status=status)


def _gone(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "settings/invitation_gone.html", {"reason": reason}, status=404)
