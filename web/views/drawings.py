"""Keeping what a person drew on a picture of a review."""

import uuid
from typing import cast

from django.conf import settings
from django.core.files.base import File
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from attachments.conversion.limits import LARGEST_INPUT
from attachments.conversion.refusals import Reason
from attachments.edits import EditRefusedError, store_edit
from attachments.models import Attachment
from attachments.queries import find_file
from attachments.quota import QuotaExceededError
from attachments.storage import StorageUnavailableError
from reviews.models import ReviewRequest
from reviews.queries import NoReviewError, find_review
from web.access import MemberRequest, for_members, require_answering
from web.files.drawings import may_be_drawn_on, refusal_in_words
from web.files.listing import file_context
from web.files.uploads import BoundedUpload
from web.queries import settled
from web.redirects import SeeOther

MEGABYTE = 1024 * 1024


@csrf_exempt  # only until the upload has its bound: reading the token reads the whole body
@require_POST
@for_members
def annotate(request: MemberRequest, file_id: uuid.UUID) -> HttpResponse:
    """Keep an edited copy of a picture for the answer to its review."""
    bound = BoundedUpload(request, most=_most_bytes())
    request.upload_handlers = [bound]
    return _annotate(request, file_id=file_id, bound=bound)


@csrf_protect
def _annotate(request: HttpRequest, *, file_id: uuid.UUID, bound: BoundedUpload) -> HttpResponse:
    """303 to the review; 422 or 413 for what is no picture, 409 when the review is over."""
    member = cast("MemberRequest", request)
    original, review = _asked(member, file_id)
    require_answering(member)
    if not review.is_pending:
        return _refused(member, original, _("This review is closed. Nothing was stored."), 409)
    content = request.FILES.get("image")
    if bound.is_over:
        return _refused(member, original, _in_words(Reason.TOO_LARGE), 413)
    if content is None:
        return _refused(member, original, _("Choose a picture first."), 422)
    return _stored(member, original, review, content)


def _asked(request: MemberRequest, file_id: uuid.UUID) -> tuple[Attachment, ReviewRequest]:
    """The picture, and the review whose message it is on.

    Raises: FileMissingError, NoReviewError.
    """
    original = find_file(request.workspace, str(file_id))
    review = settled(find_review(request.workspace, str(original.message_id)))
    if request.POST.get("review", str(review.pk)) != str(review.pk):
        raise NoReviewError("Message not found")
    return original, review


def _stored(
    request: MemberRequest, original: Attachment, review: ReviewRequest, content: "File[bytes]"
) -> HttpResponse:
    if not may_be_drawn_on(original):
        return _refused(request, original, _("Only pictures can be drawn on."), 422)
    try:
        store_edit(original, content=content, by=request.user, now=timezone.now())
    except EditRefusedError as refusal:
        return _refused(request, original, _in_words(refusal.reason), 422)
    except StorageUnavailableError:
        return _refused(request, original, _("It could not be stored. Try again."), 503)
    except QuotaExceededError:
        trouble = _("There is no room for it in the workspace. Delete some files first.")
        return _refused(request, original, trouble, 413)
    review_url = reverse("web:review", args=[review.pk])
    if _wants_json(request):
        return JsonResponse({"review": review_url})
    return SeeOther(f"{review_url}#answer-drawings")


def _refused(request: MemberRequest, original: Attachment, text: str, status: int) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"error": text}, status=status)
    context = file_context(request, str(original.pk)) | {"annotate_error": text}
    return render(request, "attachments/list.html", context, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _most_bytes() -> int:
    return min(settings.LARGEST_FILE, LARGEST_INPUT)


def _in_words(reason: Reason) -> str:
    return refusal_in_words(reason, most_megabytes=_most_bytes() // MEGABYTE)
