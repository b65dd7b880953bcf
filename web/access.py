"""Who may see a page: people who are signed in and belong to a workspace."""

import functools
from collections.abc import Callable
from typing import Concatenate, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.models import Membership, User, Workspace
from accounts.queries import NotFoundError, memberships_of
from attachments.queries import FileMissingError
from attachments.storage import StorageUnavailableError
from inbox.queries import (
    BadCursorError,
    ChannelNotFoundError,
    MessageNotFoundError,
    ThreadNotFoundError,
)
from reviews.queries import NoReviewError
from reviews.services import ReviewWithdrawnError

MISSING = (
    ChannelNotFoundError,
    FileMissingError,
    MessageNotFoundError,
    NoReviewError,
    BadCursorError,
    ReviewWithdrawnError,
    NotFoundError,
    ThreadNotFoundError,
)


class MemberRequest(HttpRequest):
    """A request of somebody who belongs to a workspace. Only a type: `for_members` fills it in."""

    user: User
    membership: Membership
    workspace: Workspace


WORKSPACE_CHOSEN = "workspace"


def current_membership(request: HttpRequest) -> Membership:
    """The membership of the workspace that was switched to, while there is one; else the oldest.

    Raises: PermissionDenied.
    """
    memberships = memberships_of(request.user) if isinstance(request.user, User) else []
    if not memberships:
        raise PermissionDenied(_("You do not belong to a workspace yet."))
    chosen = request.session.get(WORKSPACE_CHOSEN)
    found = (each for each in memberships if str(each.workspace_id) == chosen)
    return next(found, memberships[0])


def choose_workspace(request: HttpRequest, membership: Membership) -> None:
    """Remember for this session which workspace the pages show."""
    request.session[WORKSPACE_CHOSEN] = str(membership.workspace_id)


def require_answering(request: MemberRequest) -> None:
    """Raises: PermissionDenied for people who may only look."""
    if not request.membership.may_answer:
        raise PermissionDenied(_("Your role allows you to look, not to answer."))


def require_managing(request: MemberRequest) -> None:
    """Raises: PermissionDenied for people who may not see or change secrets."""
    if not request.membership.may_manage:
        raise PermissionDenied(_("Only owners and admins of the workspace may do this."))


type Page[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]
type MemberPage[**P] = Callable[Concatenate[MemberRequest, P], HttpResponse]


def for_members[**P](view: MemberPage[P]) -> Page[P]:
    """Require a signed-in member, turn what cannot be found into 404, and keep pages uncached.

    A file storage that does not answer is a 503: everything but files still works.

    A view that sets `Cache-Control` itself knows better.
    """

    @functools.wraps(view)
    def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_the_door(request)
        member = cast("MemberRequest", request)
        member.membership = current_membership(request)
        member.workspace = member.membership.workspace
        try:
            response = view(member, *args, **kwargs)
        except MISSING as refusal:
            raise Http404(refusal.message) from refusal
        except StorageUnavailableError:
            response = render(request, "503.html", status=503)
            response["Retry-After"] = "10"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return cast("Page[P]", page)


def _to_the_door(request: HttpRequest) -> HttpResponse:
    """A page leads to the sign-in; a fragment says 401, so that nothing on the screen is lost."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Trigger": "signed-out"})
    return redirect_to_login(request.get_full_path())
