"""One answer to several reviews that ask the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.ids import parse_uuid
from accounts.models import User, Workspace
from inbox.errors import DomainError
from reviews.kinds import Approval, Heading, Question, Selection, read_question
from reviews.models import ReviewRequest
from reviews.queries import reviews_of
from reviews.services import ReviewChangedError, ReviewClosedError, ReviewExpiredError
from web.answers import read_answer
from web.looks import Look
from web.outcomes import read_outcome
from web.responding import send_answer
from web.text.titles import title_of
from web.tokens import issue_token

MOST = 50


class BulkError(DomainError):
    """These reviews cannot be answered together. The message says why, and what to do."""

    code = "not_together"


@dataclass(frozen=True)
class Asked:
    """One review of a batch, and the token of its form."""

    review: ReviewRequest
    title: str
    token: str


@dataclass(frozen=True)
class Result:
    """What became of the answer to one review."""

    review: ReviewRequest
    title: str
    look: Look
    sent: bool


def chosen_reviews(workspace: Workspace, ids: Sequence[str]) -> list[ReviewRequest]:
    """The reviews that were picked, the newest first.

    Raises: BulkError if there are none, too many, or one is not in this workspace.
    """
    wanted = {parse_uuid(each) for each in ids}
    if not wanted:
        raise BulkError(_("Pick at least one review."))
    if len(wanted) > MOST:
        raise BulkError(_("Pick at most %(most)d reviews at once.") % {"most": MOST})
    found = list(reviews_of(workspace).filter(pk__in=wanted - {None}))
    if len(found) != len(wanted):
        raise BulkError(_("One of these reviews is gone. Pick again."))
    return found


def common_question(reviews: Sequence[ReviewRequest]) -> Question:
    """What all of them ask: the same type with the same options, whatever their words.

    Raises: BulkError.
    """
    if not all(review.is_pending for review in reviews):
        raise BulkError(_("One of these reviews is closed already. Pick again."))
    questions = [read_question(review.kind, review.payload) for review in reviews]
    bare = [_without_words(question) for question in questions]
    if any(question is None for question in bare):
        raise BulkError(_("Only approvals and selections can be answered together."))
    if any(question != bare[0] for question in bare):
        raise BulkError(_("These reviews do not offer the same options. Answer them one by one."))
    return questions[0]


def _without_words(question: Question) -> Approval | Selection | None:
    """Titles and descriptions differ from case to case; what can be answered must not."""
    if not isinstance(question, Approval | Selection):
        return None
    kept = Heading(dismiss_label=question.heading.dismiss_label)
    return replace(question, heading=kept)


def asked_of(reviews: Sequence[ReviewRequest], user: User) -> list[Asked]:
    return [Asked(review, title_of(review), issue_token(review, user)) for review in reviews]


def send_to_all(reviews: Sequence[ReviewRequest], posted: QueryDict, user: User) -> list[Result]:
    """Answer each review by itself, as if each had been opened: one failing stops no other.

    Raises: BulkError, InvalidAnswerError if the answer fits none of them.
    """
    open_ones = [review for review in reviews if review.is_pending]
    if open_ones:
        question = common_question(open_ones)
        question.check(read_answer(question, posted))
    return [_send(review, posted, user) for review in reviews]


def _send(review: ReviewRequest, posted: QueryDict, user: User) -> Result:
    own = posted.copy()
    own["token"] = posted.get(f"token.{review.pk}", "")
    own["confirmed"] = "yes"  # the list that was just read is the second look
    title = title_of(review)
    try:
        send_answer(review, own, user)
    except ReviewExpiredError as refusal:
        look = Look("clock", _("Expired before you answered"), "warn")
        return Result(refusal.review, title, look, sent=False)
    except ReviewClosedError as refusal:
        question = read_question(refusal.review.kind, refusal.review.payload)
        who = read_outcome(refusal.review, question).who
        look = Look("warn", _("%(who)s was faster") % {"who": who}, "warn")
        return Result(refusal.review, title, look, sent=False)
    except ReviewChangedError as refusal:
        look = Look("warn", _("It changed since you read it: look at it alone"), "warn")
        return Result(refusal.review, title, look, sent=False)
    return Result(review, title, Look("check", _("Answer sent"), "ok"), sent=True)
