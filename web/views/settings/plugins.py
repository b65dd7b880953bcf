"""Plugins of the workspace: what they may do, their values, and a switch. For owners and admins."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from reviews.plugins import Plugin, PluginNotFoundError, find_plugin
from reviews.plugins.configuration import (
    Configured,
    InvalidPluginValuesError,
    all_configured,
    configure,
    configured,
)
from web.access import MemberRequest, for_members, require_managing
from web.frames.places import preview_of
from web.plugin_forms import VALUE, PluginForm
from web.redirects import SeeOther
from web.views.settings.page import posted_in, settings_page


@require_safe
@for_members
def plugins(request: MemberRequest) -> HttpResponse:
    return settings_page(request, "plugins", plugins=all_configured(request.workspace))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def plugin(request: MemberRequest, name: str) -> HttpResponse:
    require_managing(request)
    used = configured(request.workspace, _found(name))
    form = PluginForm(posted_in(request), used=used)
    if request.method != "POST":
        return _page(request, used, form)
    if not form.is_valid() or not _save(request, used, form):
        return _page(request, used, form, status=422)
    messages.success(request, _("Saved."))
    return SeeOther(reverse("web:plugin-settings", args=[used.plugin.name]))


def _found(name: str) -> Plugin:
    try:
        return find_plugin(name)
    except PluginNotFoundError as refusal:
        raise Http404 from refusal


def _save(request: MemberRequest, used: Configured, form: PluginForm) -> bool:
    try:
        configure(
            request.workspace,
            used.plugin,
            values=form.values,
            enabled=form.cleaned_data["enabled"],
            now=timezone.now(),
        )
    except InvalidPluginValuesError as refusal:
        for key, problem in refusal.errors.items():
            form.add_error(VALUE + key, problem)
        return False
    return True


def _page(
    request: MemberRequest, used: Configured, form: PluginForm, *, status: int = 200
) -> HttpResponse:
    return settings_page(
        request,
        "plugins",
        template="plugin",
        status=status,
        used=used,
        plugin=used.plugin,
        form=form,
        place=preview_of(used.plugin),
    )
