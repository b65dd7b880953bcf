"""What a person drew on the pictures of a review, on its way into the answer.

A card holds one hidden field `modified.<original>=<edited copy>` a drawing, and a box that leaves
it out. The agent gets those that are left as `modifiedFileIds`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from attachments.conversion.parts import LONGEST_SIDE
from attachments.conversion.refusals import Reason
from attachments.edits import drafts_of, send_edits
from attachments.kinds import Kind, kind_of
from attachments.models import Attachment
from attachments.queries import files_in
from attachments.services import AttachmentNotFoundError
from reviews.kinds import InvalidAnswerError
from reviews.models import ReviewRequest
from web.access import MemberRequest

FIELD = "modified."
LEFT_OUT = "without."
ERROR = "drawings"


@dataclass(frozen=True)
class Drawing:
    """An edited copy of a file, and whether the person wants to leave it out."""

    file: Attachment
    original: Attachment
    left_out: bool = False

    @property
    def name(self) -> str:
        return f"{FIELD}{self.original.pk}"

    @property
    def without(self) -> str:
        return f"{LEFT_OUT}{self.original.pk}"


@dataclass(frozen=True)
class Drawings:
    """The drawings that an answer carries, by the id of the original."""

    files: Mapping[str, Attachment]

    @property
    def as_answered(self) -> dict[str, str]:
        return {original: str(file.pk) for original, file in self.files.items()}

    def send(self) -> None:
        """Raises: InvalidAnswerError if one of them was replaced meanwhile."""
        try:
            send_edits([file.pk for file in self.files.values()])
        except AttachmentNotFoundError:
            raise _gone() from None


def annotated_review(request: MemberRequest, review: ReviewRequest | None) -> ReviewRequest | None:
    """The review whose pictures this person may draw on; `attachments/picture.html` takes it."""
    if review is None or not request.membership.may_answer:
        return None
    return review if review.is_pending and review.expires_at > timezone.now() else None


def drawings_on(
    review: ReviewRequest, files: Sequence[Attachment], user: User, *, typed: QueryDict | None
) -> list[Drawing]:
    """Those that were sent; while the review is open, those that this person could send."""
    if not review.is_pending:
        return _sent(review, files)
    if not any(may_be_drawn_on(file) for file in files):
        return []
    return [
        Drawing(file, file.edit_of, left_out=_is_left_out(typed, original, file))
        for original, file in _drafts(review, user).items()
        if file.edit_of is not None
    ]


def may_be_drawn_on(file: Attachment) -> bool:
    return kind_of(file.filename, file.mime_type) == Kind.IMAGE


def _sent(review: ReviewRequest, files: Sequence[Attachment]) -> list[Drawing]:
    if not review.modified_file_ids:
        return []
    originals = {file.pk: file for file in files}
    edits = files_in(review.workspace, None).filter(edit_of__in=originals)
    wanted = set(review.modified_file_ids.values())
    return [
        Drawing(file, originals[file.edit_of_id])
        for file in edits.select_related("preview").order_by("id")
        if str(file.pk) in wanted and file.edit_of_id is not None
    ]


def _drafts(review: ReviewRequest, user: User) -> dict[str, Attachment]:
    """The newest draft for each original."""
    return {str(file.edit_of_id): file for file in drafts_of(user, review.message)}


def _is_left_out(typed: QueryDict | None, original: str, file: Attachment) -> bool:
    return typed is not None and typed.get(LEFT_OUT + original) == str(file.pk)


def read_drawings(posted: QueryDict, review: ReviewRequest, user: User) -> Drawings | None:
    """The drawings of a posted card: only this person's own, of this review's files.

    Raises: InvalidAnswerError.
    """
    named = {key.removeprefix(FIELD): posted[key] for key in posted if key.startswith(FIELD)}
    wanted = {
        original: edited
        for original, edited in named.items()
        if posted.get(LEFT_OUT + original) != edited
    }
    if not wanted:
        return None
    drafts = _drafts(review, user)
    if any(
        original not in drafts or str(drafts[original].pk) != wanted[original]
        for original in wanted
    ):
        raise _gone()
    return Drawings({original: drafts[original] for original in wanted})


def _gone() -> InvalidAnswerError:
    return InvalidAnswerError(
        {ERROR: _("A drawing was replaced or is gone. Look at the drawings, then send again.")}
    )


def refusal_in_words(reason: Reason, *, most_megabytes: int) -> str:
    """What to tell somebody whose picture was not stored."""
    match reason:
        case Reason.TOO_LARGE:
            return _(
                "The picture is too large: at most %(side)d pixels on a side and %(most)d MB."
            ) % {"side": LONGEST_SIDE, "most": most_megabytes}
        case Reason.UNSAFE:
            return _("Moving pictures cannot be stored as a drawing. Send a still one.")
        case Reason.TOO_SLOW:
            return _("Reading the picture took too long. Try again, or send a smaller one.")
        case _broken:
            return _("This is no picture that can be read. Send a PNG, a WebP or a JPEG file.")
