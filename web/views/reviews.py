"""One review: look at it, and answer it."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AfterAnswer
from attachments.queries import FileMissingError
from inbox.cutting import count_of
from inbox.errors import DomainError
from reviews.kinds import InvalidAnswerError, read_question
from reviews.models import ReviewRequest
from reviews.queries import find_review, pending_reviews
from reviews.reading import mark_read, mark_unread, unread_by
from reviews.services import ReviewChangedError, ReviewClosedError, ReviewExpiredError
from web.access import MemberRequest, for_members, require_answering
from web.detail import detail_context, viewer_in
from web.files.drawings import annotated_review
from web.fragments import show, show_card, wanted_fragment
from web.listing import list_context
from web.outcomes import read_outcome
from web.queries import Filters, files_of, next_pending, settled
from web.redirects import SeeOther
from web.responding import send_answer, with_sealed
from web.rows import row_of
from web.templatetags.pages import counted
from web.text.hidden import revealed_html
from web.tokens import is_current
from web.views.deliveries import send_once_more


@require_safe
@for_members
def review(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    shown = settled(find_review(request.workspace, str(message_id)))
    if wanted_fragment(request) == "file-viewer":
        return _viewer(request, shown)
    if not wanted_fragment(request):  # a fragment may be fetched ahead; its page posts to `read`
        mark_read(review=shown, user=request.user, now=timezone.now())
    return _page(request, shown)


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
def card(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Look again at a card that somebody has open, with what they typed in it."""
    shown = settled(find_review(request.workspace, str(message_id)))
    posted = with_sealed(request.POST, shown)
    kept: dict[str, Any] = {}
    if posted.get("token"):
        same = is_current(str(posted["token"]), shown, request.user)
        kept = {"typed": posted} | ({"token": posted["token"]} if same else {"changed": True})
    context = detail_context(request, shown, **kept) | {"query": _query(request)}
    return show_card(request, context, status=200)


@require_POST
@for_members
def read(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Remember that this person has seen it, or wants to see it again: `unread=yes`."""
    shown = find_review(request.workspace, str(message_id))
    if "unread" in request.POST:
        mark_unread(review=shown, user=request.user)
    else:
        mark_read(review=shown, user=request.user, now=timezone.now())
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204)
    return SeeOther(reverse("web:inbox") + _query(request))


@require_safe
@for_members
def row(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """One row of the list, for a page that heard that its review changed."""
    shown = settled(find_review(request.workspace, str(message_id)))
    files = len(files_of([shown.message])[shown.pk])
    filters = Filters.read(request.GET, request.workspace)
    unread = unread_by(pending_reviews(request.workspace).filter(pk=shown.pk), request.user)
    row = replace(row_of(shown, timezone.now()), file_count=files, unread=unread.exists())
    context = {
        "row": row,
        "filters": filters,
        "query": filters.query(),
    }
    return render(request, "reviews/row.html", context)


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
    context = detail_context(request, shown, **card) | {"showing_detail": True}
    parts = {"detail": "detail"}
    if request.method == "POST" and wanted_fragment(request):
        return show_card(request, context | {"query": _query(request)}, status=status)
    if wanted_fragment(request) in parts:
        context |= {"query": _query(request)}
    else:
        context |= list_context(request)
    return show(request, "reviews/queue.html", context, parts=parts, status=status)


def _viewer(request: MemberRequest, shown: ReviewRequest) -> HttpResponse:
    """Only the file that was asked for: files are read when the rest is on the screen."""
    viewer = viewer_in(request, shown, files_of([shown.message])[shown.pk])
    if viewer is None:
        raise FileMissingError
    context = {"viewer": viewer, "embedded": True, "review": shown}
    context["annotate_review"] = annotated_review(request, shown)
    return render(request, "attachments/viewer.html#viewer", context)


def _query(request: MemberRequest) -> str:
    return Filters.read(request.GET, request.workspace).query()


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
    left = count_of(pending_reviews(request.workspace))
    messages.success(request, _thanks(answered, left), extra_tags="html")
    filters = Filters.read(request.GET, request.workspace)
    following = _following(request, filters, answered)
    if following is None:
        return SeeOther(reverse("web:inbox") + filters.query())
    return SeeOther(reverse("web:review", args=[following.pk]) + filters.query())


def _following(
    request: MemberRequest, filters: Filters, answered: ReviewRequest
) -> ReviewRequest | None:
    """What a person wants to see after an answer; None is the list."""
    match request.user.after_answer:
        case AfterAnswer.STAY:
            return answered
        case AfterAnswer.LIST:
            return None
        case AfterAnswer.PREVIOUS:
            return next_pending(request.workspace, filters, answered, upwards=True)
        case _next:
            return next_pending(request.workspace, filters, answered)


def _thanks(answered: ReviewRequest, left: int) -> SafeString:
    """What was sent, what is left, and the way back to it."""
    outcome = read_outcome(answered, read_question(answered.kind, answered.payload))
    answer = mark_safe(revealed_html(outcome.headline or _("Answer")))  # noqa: S308  # escaped
    if left:
        remaining = ngettext("%(left)s left.", "%(left)s left.", left) % {"left": counted(left)}
    else:
        remaining = _("Nothing is left.")
    view = reverse("web:review", args=[answered.pk])
    text = '{}: {} {} <a href="{}">{}</a>'
    return format_html(text, answer, _("sent."), remaining, view, _("View"))
