"""How pages look and behave for one person: appearance, keys, notifications."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services.preferences import change_preferences
from web.access import MemberRequest, for_members
from web.devices import devices_context
from web.redirects import SeeOther
from web.settings_forms import AppearanceForm, PageForm, ShortcutsForm
from web.sheet import caps_of
from web.shortcuts import SHORTCUTS, Shortcut
from web.views.settings.page import settings_page

ON_KEYS_PAGE = ("single_keys", "own_keys", "enter_sends")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def appearance(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return settings_page(request, "appearance", form=_filled(AppearanceForm, request))
    return _save(request, "appearance", AppearanceForm(request.POST))


@require_safe
@for_members
def notifications(request: MemberRequest) -> HttpResponse:
    return settings_page(request, "notifications", **devices_context(request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def shortcuts(request: MemberRequest) -> HttpResponse:
    user = request.user
    if request.method != "POST":
        initial = {name: getattr(user, name) for name in ON_KEYS_PAGE}
        return _shortcuts_page(request, ShortcutsForm(user=user, initial=initial))
    form = ShortcutsForm(request.POST, user=user)
    if not form.is_valid():
        return _shortcuts_page(request, form, status=422)
    change_preferences(user, **{name: form.cleaned_data[name] for name in ON_KEYS_PAGE})
    return _saved(request, "shortcuts")


def _shortcuts_page(
    request: MemberRequest, form: ShortcutsForm, *, status: int = 200
) -> HttpResponse:
    return settings_page(request, "shortcuts", status=status, form=form, groups=_groups(form))


def _groups(form: ShortcutsForm) -> list[tuple[Any, list[tuple[Shortcut, list[str], Any]]]]:
    """Actions by group, each with what its keys say, and its field if the key can be changed."""
    groups: dict[Any, list[tuple[Shortcut, list[str], Any]]] = {}
    for shortcut in SHORTCUTS:
        field = form.bound_key(shortcut.name) if shortcut.changeable else None
        groups.setdefault(shortcut.group, []).append((shortcut, caps_of(shortcut.keys), field))
    return list(groups.items())


def _filled[F: PageForm](kind: type[F], request: MemberRequest) -> F:
    return kind(initial={name: getattr(request.user, name) for name in kind.base_fields})


def _save(request: MemberRequest, part: str, form: PageForm) -> HttpResponse:
    if not form.is_valid():
        return settings_page(request, part, status=422, form=form)
    change_preferences(request.user, **form.cleaned_data)
    return _saved(request, part)


def _saved(request: MemberRequest, part: str) -> HttpResponse:
    messages.success(request, _("Saved."))
    return SeeOther(reverse(f"web:settings-{part}"))
