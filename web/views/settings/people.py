"""Who belongs to the workspace: members, their roles, and invitations."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import RefusedError
from accounts.models import Membership
from accounts.queries import find_invitation, find_member, members_of, open_invitations
from accounts.services.invitations import MadeInvitation, invite, withdraw_invitation
from accounts.services.people import change_role, remove_member
from web.access import MemberRequest, for_members, require_managing
from web.redirects import SeeOther
from web.settings_forms import InviteForm, RoleForm
from web.views.settings.page import settings_page


@require_safe
@for_members
def people(request: MemberRequest) -> HttpResponse:
    return _page(request, InviteForm(by=request.membership))


@require_POST
@for_members
def send_invitation(request: MemberRequest) -> HttpResponse:
    """Make an invitation; its link is shown in this one answer."""
    require_managing(request)
    form = InviteForm(request.POST, by=request.membership)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        made = invite(
            workspace=request.workspace,
            email=form.cleaned_data["email"],
            role=form.cleaned_data["role"],
            by=request.user,
            now=timezone.now(),
        )
    except RefusedError as refusal:
        form.add_error("email", refusal.message)
        return _page(request, form, status=409)
    return _page(request, InviteForm(by=request.membership), made=made)


@require_POST
@for_members
def withdraw(request: MemberRequest, invitation_id: uuid.UUID) -> HttpResponse:
    require_managing(request)
    invitation = find_invitation(request.workspace, invitation_id)
    try:
        withdraw_invitation(invitation, by=request.user, now=timezone.now())
    except RefusedError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The invitation is withdrawn."))
    return SeeOther(reverse("web:settings-people"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def member(request: MemberRequest, member_id: uuid.UUID) -> HttpResponse:
    """One member: a POST changes the role."""
    shown = find_member(request.workspace, member_id)
    if request.method != "POST":
        return _member_page(request, shown, _role_form(request, shown))
    require_managing(request)
    form = RoleForm(request.POST, by=request.membership)
    if not form.is_valid():
        return _member_page(request, shown, form, status=422)
    try:
        change_role(shown, role=form.cleaned_data["role"], by=request.user)
    except RefusedError as refusal:
        form.add_error("role", refusal.message)
        return _member_page(request, shown, form, status=409)
    messages.success(request, _("The role is changed."))
    return SeeOther(reverse("web:settings-people"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def remove(request: MemberRequest, member_id: uuid.UUID) -> HttpResponse:
    """Ask, then take a member out; everybody may take out themselves."""
    shown = find_member(request.workspace, member_id)
    leaving = shown.user_id == request.user.pk
    if not leaving:
        require_managing(request)
    if request.method != "POST":
        return _remove_page(request, shown)
    try:
        remove_member(shown, by=request.user)
    except RefusedError as refusal:
        return _remove_page(request, shown, status=409, problem=refusal.message)
    messages.success(request, _("You left the workspace.") if leaving else _("Removed."))
    return SeeOther(reverse("web:inbox" if leaving else "web:settings-people"))


def _page(
    request: MemberRequest,
    form: InviteForm,
    *,
    status: int = 200,
    made: MadeInvitation | None = None,
) -> HttpResponse:
    manages = request.membership.may_manage
    now, workspace = timezone.now(), request.workspace
    return settings_page(
        request,
        "people",
        status=status,
        form=form,
        members=members_of(workspace),
        invitations=open_invitations(workspace, now=now) if manages else [],
        made=made,
        link=_link(request, made) if made else "",
    )


def _link(request: MemberRequest, made: MadeInvitation) -> str:
    return request.build_absolute_uri(reverse("web:invitation", args=[made.token]))


def _role_form(request: MemberRequest, shown: Membership) -> RoleForm:
    return RoleForm(by=request.membership, initial={"role": shown.role})


def _member_page(
    request: MemberRequest, shown: Membership, form: RoleForm, *, status: int = 200
) -> HttpResponse:
    may_change = shown.role in request.membership.assignable_roles
    return settings_page(
        request,
        "people",
        template="member",
        status=status,
        member=shown,
        form=form,
        may_change=may_change,
        leaving=shown.user_id == request.user.pk,
    )


def _remove_page(
    request: MemberRequest, shown: Membership, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    return settings_page(
        request,
        "people",
        template="member_remove",
        status=status,
        member=shown,
        leaving=shown.user_id == request.user.pk,
        problem=problem,
    )
