"""API keys: made and shown once, rotated, revoked. For owners and admins."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import ApiKey
from accounts.queries import find_key, keys_of
from accounts.services.keys import (
    IssuedKey,
    KeyEndedError,
    KeyMadeError,
    issue_key_once,
    revoke_key,
    rotate_key,
)
from web.access import MemberRequest, for_members, require_managing
from web.redirects import SeeOther
from web.settings_forms import KeyRotationForm, NewKeyForm
from web.views.settings.page import posted_in, settings_page


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def keys(request: MemberRequest) -> HttpResponse:
    """All keys; a POST makes one, which is shown in this one answer."""
    require_managing(request)
    if request.method != "POST":
        return _page(request, NewKeyForm.fresh())
    form = NewKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        issued = _issue(request, form)
    except KeyMadeError as refusal:
        messages.error(request, refusal.message)
        return SeeOther(reverse("web:settings-keys"))
    return _page(request, NewKeyForm.fresh(), issued=issued)


def _issue(request: MemberRequest, form: NewKeyForm) -> IssuedKey:
    """Raises: KeyMadeError."""
    lifetime = form.cleaned_data["expires"]
    return issue_key_once(
        form_id=form.cleaned_data["form_id"],
        workspace=request.workspace,
        created_by=request.user,
        label=form.cleaned_data["label"],
        expires_at=timezone.now() + lifetime if lifetime else None,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def rotate(request: MemberRequest, key_id: uuid.UUID) -> HttpResponse:
    require_managing(request)
    key = find_key(request.workspace, key_id)
    form = KeyRotationForm(posted_in(request))
    if request.method != "POST":
        return _one(request, "rotate", key, form=form)
    if not form.is_valid():
        return _one(request, "rotate", key, status=422, form=form)
    try:
        issued = rotate_key(
            key, by=request.user, overlap=form.cleaned_data["overlap"], now=timezone.now()
        )
    except KeyEndedError as refusal:
        form.add_error(None, refusal.message)
        return _one(request, "rotate", key, status=409, form=form)
    return _page(request, NewKeyForm.fresh(), issued=issued)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def revoke(request: MemberRequest, key_id: uuid.UUID) -> HttpResponse:
    require_managing(request)
    key = find_key(request.workspace, key_id)
    if request.method != "POST":
        return _one(request, "revoke", key)
    revoke_key(key, now=timezone.now())
    messages.success(request, _("The key is revoked."))
    return SeeOther(reverse("web:settings-keys"))


def _page(
    request: MemberRequest,
    form: NewKeyForm,
    *,
    status: int = 200,
    issued: IssuedKey | None = None,
) -> HttpResponse:
    now, rows = timezone.now(), keys_of(request.workspace)
    return settings_page(
        request,
        "keys",
        status=status,
        form=form,
        issued=issued,
        working=[row for row in rows if row.works_at(now)],
        ended=[row for row in rows if not row.works_at(now)],
    )


def _one(
    request: MemberRequest, action: str, key: ApiKey, *, status: int = 200, **context: Any
) -> HttpResponse:
    return settings_page(
        request, "keys", template=f"key_{action}", status=status, key=key, **context
    )
