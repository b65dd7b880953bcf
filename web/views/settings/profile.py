"""The person: name, language, time zone, password, sessions."""

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.services.preferences import change_password, change_preferences, end_sessions
from web.access import MemberRequest, for_members
from web.redirects import SeeOther
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


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def password(request: MemberRequest) -> HttpResponse:
    """Change the password. This session stays, all others end."""
    form = ChangePasswordForm(posted_in(request), user=request.user)
    if request.method != "POST":
        return settings_page(request, "profile", template="password", form=form)
    if not form.is_valid():
        return settings_page(request, "profile", template="password", status=422, form=form)
    change_password(request.user, password=form.cleaned_data["new"])
    update_session_auth_hash(request, request.user)
    messages.success(request, _("The password is changed. All other sessions have ended."))
    return SeeOther(reverse("web:settings-profile"))


@require_POST
@for_members
def sign_out_everywhere(request: MemberRequest) -> HttpResponse:
    end_sessions(request.user)
    logout(request)
    return SeeOther(reverse("web:sign-in"))
