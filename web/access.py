"""Who may see a page: people who are signed in and belong to a workspace."""

import functools
from collections.abc import Callable
from typing import Concatenate, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import Membership, User, Workspace
from accounts.queries import memberships_of
from attachments.queries import FileMissingError
from inbox.queries import BadCursorError, ChannelNotFoundError, MessageNotFoundError
from reviews.queries import NoReviewError
from reviews.services import ReviewWithdrawnError

MISSING = (
    ChannelNotFoundError,
    FileMissingError,
    MessageNotFoundError,
    NoReviewError,
    BadCursorError,
    ReviewWithdrawnError,
)


class MemberRequest(HttpRequest):
    """A request of somebody who belongs to a workspace. Only a type: `for_members` fills it in."""

    user: User
    membership: Membership
    workspace: Workspace


def current_membership(request: HttpRequest) -> Membership:
    """The person's oldest membership: the workspace that the pages show.

    Raises: PermissionDenied.
    """
    memberships = memberships_of(request.user) if isinstance(request.user, User) else []
    if not memberships:
        raise PermissionDenied(_("You do not belong to a workspace yet."))
    return memberships[0]


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

    A view that sets `Cache-Control` itself knows better.
    """

    @functools.wraps(view)
    def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        member = cast("MemberRequest", request)
        member.membership = current_membership(request)
        member.workspace = member.membership.workspace
        try:
            response = view(member, *args, **kwargs)
        except MISSING as refusal:
            raise Http404(refusal.message) from refusal
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return cast("Page[P]", login_required(page))
