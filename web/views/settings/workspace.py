"""The workspace: its name, and which one the pages show."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import RefusedError
from accounts.queries import memberships_of
from accounts.services.people import rename_workspace
from web.access import MemberRequest, choose_workspace, for_members, require_managing
from web.redirects import SeeOther
from web.settings_forms import WorkspaceForm
from web.views.settings.page import settings_page


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def workspace(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, WorkspaceForm(initial={"name": request.workspace.name}))
    require_managing(request)
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        rename_workspace(request.workspace, name=form.cleaned_data["name"], by=request.user)
    except RefusedError as refusal:
        form.add_error("name", refusal.message)
        return _page(request, form, status=409)
    messages.success(request, _("Saved."))
    return SeeOther(reverse("web:settings-workspace"))


@require_POST
@for_members
def switch(request: MemberRequest) -> HttpResponse:
    """Show another workspace from now on, in this session."""
    wanted = request.POST.get("workspace", "")
    mine = memberships_of(request.user)
    chosen = next((one for one in mine if str(one.workspace_id) == wanted), None)
    if chosen is None:
        raise Http404
    choose_workspace(request, chosen)
    return SeeOther(reverse("web:inbox"))


def _page(request: MemberRequest, form: WorkspaceForm, *, status: int = 200) -> HttpResponse:
    mine = memberships_of(request.user)
    return settings_page(request, "workspace", status=status, form=form, memberships=mine)
