"""An answer that a plugin proposes: read and judged like any other, and sent by a person only."""

from dataclasses import dataclass

from reviews.kinds import InvalidAnswerError, Question
from web.answers import read_object
from web.outcomes import Outcome, read_response


@dataclass(frozen=True)
class Proposal:
    """What would be sent, in words; or why it cannot be."""

    outcome: Outcome
    problem: str = ""


def read_proposal(question: Question, text: str) -> Proposal:
    try:
        response = read_object(text, "proposal")
        question.check(response)
    except InvalidAnswerError as refusal:
        return Proposal(Outcome(), refusal.message)
    return Proposal(read_response(question, response))
