"""The person: name, language, time zone, password."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services.preferences import change_password, change_preferences
from web.access import MemberRequest, for_members
from web.attempts import answers_guessing
from web.redirects import SeeOther
from web.sessions import end_other_sessions
from web.settings_forms import ChangePasswordForm, ProfileForm
from web.views.settings.page import posted_in, settings_page

FIELDS = ("display_name", "language", "time_zone")


@require_safe
@for_members
def settings(request: MemberRequest) -> HttpResponse:
    """All sections; beside them the first one where there is room."""
    return settings_page(request, "profile", showing_detail=False, form=_form(request))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def profile(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return settings_page(request, "profile", form=_form(request))
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return settings_page(request, "profile", status=422, form=form)
    change_preferences(request.user, **form.cleaned_data)
    with translation.override(request.user.language or translation.get_language()):
        messages.success(request, _("Saved."))
    return SeeOther(reverse("web:settings-profile"))


def _form(request: MemberRequest) -> ProfileForm:
    return ProfileForm(initial={name: getattr(request.user, name) for name in FIELDS})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@answers_guessing
@login_required
def password(request: HttpRequest) -> HttpResponse:
    """Change the password; a given one on a page that leads nowhere else."""
    member = cast("MemberRequest", request)
    return _given(member) if member.user.must_change_password else _chosen(request)


def _given(request: MemberRequest) -> HttpResponse:
    form = ChangePasswordForm(posted_in(request), user=request.user)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "settings/given_password.html", {"form": form}, status=status)
    return _change(request, form, "web:inbox")


@for_members
def _chosen(request: MemberRequest) -> HttpResponse:
    form = ChangePasswordForm(posted_in(request), user=request.user)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return settings_page(request, "profile", template="password", status=status, form=form)
    return _change(request, form, "web:settings-profile")


def _change(request: MemberRequest, form: ChangePasswordForm, then: str) -> HttpResponse:
    """This session stays, all others end."""
    change_password(request.user, password=form.cleaned_data["new"])
    update_session_auth_hash(request, request.user)
    end_other_sessions(request, request.user)
    messages.success(request, _("The password is changed. All other sessions have ended."))
    return SeeOther(reverse(then))
