"""One review as the screen shows it: its message, its facts, its files and its card."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone

from attachments.models import Attachment
from reviews.kinds import read_question
from reviews.models import ReviewRequest
from reviews.plugins.choosing import Chooser
from web.access import MemberRequest
from web.cards import Card
from web.deliveries import delivery_line
from web.facts import read_facts
from web.files.drawings import annotated_review, drawings_on
from web.files.viewer import Viewer, make_viewer
from web.frames.places import Place, place_of
from web.origins import thread_name
from web.queries import files_of, revisions_of
from web.reading import reading_warnings
from web.text.differences import RevisionDifference, revision_difference
from web.text.titles import body_below_title, title_of
from web.tokens import issue_token


def detail_context(request: MemberRequest, review: ReviewRequest, **shown: Any) -> dict[str, Any]:
    """`shown` is what a refused answer adds to the card: what was typed, and what is wrong."""
    message = review.message
    files, revisions = files_of([message])[message.pk], revisions_of(message)
    return {
        "review": review,
        "title": title_of(review),
        "body": body_below_title(message.text),
        "facts": read_facts(message.metadata),
        "called": thread_name(message.thread) if message.thread else None,
        "files": files,
        "revisions": revisions,
        "newer": _newer(review, revisions),
        "difference": _difference(revisions, review),
        "warnings": reading_warnings(review, files),
        "viewer": viewer_in(request, review, files),
        "delivery": delivery_line(request.workspace, review, operator=request.user.is_staff),
        "card": _card(request, review, files, **shown),
        "annotate_review": annotated_review(request, review),
    }


def viewer_in(
    request: MemberRequest, review: ReviewRequest, files: Sequence[Attachment]
) -> Viewer | None:
    """The file that was asked for, among those of the review."""
    asked = request.GET.get("file", "")
    chosen = next((file for file in files if str(file.pk) == asked), None)
    if chosen is None:
        return None
    here = reverse("web:review", args=[review.pk])
    return make_viewer(
        chosen, around=files, given=request.GET, address=lambda file: f"{here}?file={file.pk}"
    )


def _newer(review: ReviewRequest, revisions: list[ReviewRequest]) -> ReviewRequest | None:
    """The latest revision of this request, unless it is this one."""
    return revisions[-1] if revisions and revisions[-1].pk != review.pk else None


def _difference(
    revisions: Sequence[ReviewRequest], review: ReviewRequest
) -> RevisionDifference | None:
    """What changed since the revision before this one, where there is one."""
    places = [step.pk for step in revisions]
    place = places.index(review.pk) if review.pk in places else 0
    return revision_difference(revisions[place - 1], review) if place else None


def _card(
    request: MemberRequest, review: ReviewRequest, files: Sequence[Attachment], **shown: Any
) -> Card:
    if review.is_pending and "token" not in shown:
        shown["token"] = issue_token(review, request.user)
    question = read_question(review.kind, review.payload)
    drawings = drawings_on(review, files, request.user, typed=shown.get("typed"))
    place = _place(request, review, files)
    return Card(review, question, timezone.now(), drawings=drawings, place=place, **shown)


def _place(
    request: MemberRequest, review: ReviewRequest, files: Sequence[Attachment]
) -> Place | None:
    """Where the plugin of this message goes, if it has one."""
    chosen = Chooser(request.workspace).choose(review.message, review)
    answering = review if request.membership.may_answer else None
    return place_of(chosen, files, answering=answering)
