"""One review: look at it, and answer it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from inbox.errors import DomainError
from reviews.kinds import InvalidAnswerError
from reviews.models import ReviewRequest
from reviews.queries import find_review, pending_reviews
from reviews.services import ReviewChangedError, ReviewClosedError, ReviewExpiredError
from web.access import MemberRequest, for_members, require_answering
from web.detail import detail_context
from web.listing import list_context
from web.queries import next_pending, settled
from web.redirects import SeeOther
from web.responding import send_answer, with_sealed
from web.views.deliveries import send_once_more


@require_safe
@for_members
def review(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    return _page(request, settled(find_review(request.workspace, str(message_id))))


@require_POST
@for_members
def respond(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Answer or dismiss: 303 when it is sent, else the page again with what was typed."""
    asked = settled(find_review(request.workspace, str(message_id)))
    require_answering(request)
    posted = with_sealed(request.POST, asked)
    if "back" in posted:
        return _page(request, asked, typed=posted)
    try:
        confirmation = send_answer(asked, posted, request.user)
    except (InvalidAnswerError, ReviewClosedError, ReviewChangedError) as refusal:
        return _refused(request, asked, refusal)
    if confirmation is not None:
        return _page(request, asked, typed=posted, token=posted["token"], confirmation=confirmation)
    return _sent(request, asked)


@require_POST
@for_members
def send_again(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Send the decision to the agent once more."""
    decided = find_review(request.workspace, str(message_id))
    require_answering(request)
    send_once_more(request, decided.message)
    return SeeOther(reverse("web:review", args=[decided.pk]))


def _page(
    request: MemberRequest, shown: ReviewRequest, status: int = 200, **card: Any
) -> HttpResponse:
    context = list_context(request) | detail_context(request, shown, **card)
    context["showing_detail"] = True
    return render(request, "reviews/queue.html", context, status=status)


def _refused(request: MemberRequest, asked: ReviewRequest, refusal: DomainError) -> HttpResponse:
    """422 for an answer that does not fit, 410 past the deadline, 409 if somebody was faster."""
    typed = request.POST
    match refusal:
        case InvalidAnswerError(errors=errors):
            return _page(request, asked, 422, typed=typed, token=typed["token"], errors=errors)
        case ReviewExpiredError(review=current):
            return _page(request, current, 410, typed=typed)
        case ReviewClosedError(review=current):
            return _page(request, current, 409, typed=typed)
        case _changed:
            return _page(request, asked, 409, typed=typed, changed=True)


def _sent(request: MemberRequest, answered: ReviewRequest) -> HttpResponse:
    left = pending_reviews(request.workspace).count()
    messages.success(
        request,
        ngettext("Answer sent. %(left)d left.", "Answer sent. %(left)d left.", left)
        % {"left": left}
        if left
        else _("Answer sent. Nothing is left."),
    )
    following = next_pending(request.workspace, answered)
    if following is None:
        return SeeOther(reverse("web:inbox"))
    return SeeOther(reverse("web:review", args=[following.pk]))
