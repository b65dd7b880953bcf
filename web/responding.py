"""From a posted form to a decision: read it, ask once more where that is wanted, send it."""

from django.http import QueryDict

from accounts.models import User
from reviews.kinds import check_feedback, read_question
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, ReviewChangedError, answer_review
from web.answers import read_answer, read_feedback
from web.cards import Confirmation, carried, confirmation_for, posted_passwords
from web.files.drawings import read_drawings
from web.tokens import FormToken, read_token, seal, unseal


def with_sealed(posted: QueryDict, review: ReviewRequest) -> QueryDict:
    """What was posted, with the passwords that waited sealed through the second step."""
    whole = posted.copy()
    whole.update(unseal(posted.get("sealed", ""), review))
    return whole


def send_answer(review: ReviewRequest, posted: QueryDict, user: User) -> Confirmation | None:
    """Send the answer, or give back the second step that it needs first.

    Raises: ReviewChangedError, ReviewClosedError, ReviewExpiredError, InvalidAnswerError.
    """
    token = read_token(posted.get("token", ""), review, user)
    if review.is_pending and token.revision != review.revision:
        raise ReviewChangedError(review)
    answer = _answer(review, posted, user, token)
    second_step = None if posted.get("confirmed") == "yes" else _second_step(review, answer, posted)
    if second_step is None:
        answer_review(review, answer=answer)
    return second_step


def _answer(review: ReviewRequest, posted: QueryDict, user: User, token: FormToken) -> Answer:
    """A closed review needs no content: the service tells a repeated form from a late answer.

    Raises: InvalidAnswerError.
    """
    question = read_question(review.kind, review.payload)
    drawings = read_drawings(posted, review, user) if review.is_pending else None
    return Answer(
        response=read_answer(question, posted) if review.is_pending else {},
        by=user,
        via=Closer.PAGE,
        feedback=read_feedback(posted) if review.is_pending else "",
        seen_revision=token.revision,
        form_token=token.nonce,
        modified_file_ids=drawings.as_answered if drawings else None,
        carrying=drawings.send if drawings else None,
    )


def _second_step(review: ReviewRequest, answer: Answer, posted: QueryDict) -> Confirmation | None:
    """Only an answer that could be sent is worth a second question.

    Raises: InvalidAnswerError.
    """
    question = read_question(review.kind, review.payload)
    words = confirmation_for(review, question, answer.response) if review.is_pending else None
    if words is None:
        return None
    question.check(answer.response)
    check_feedback(answer.response, answer.feedback)
    label, danger = words
    sealed = seal(posted_passwords(question, posted), review)
    return Confirmation(label, danger, carried(question, posted), sealed)
