"""Proof of what a person had on the screen, and what must survive a second step unseen."""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing

from accounts.encryption import UndecryptableError, decrypt, encrypt
from accounts.models import User
from reviews.models import ReviewRequest
from reviews.services import ReviewChangedError

SALT = "web.review-form"


@dataclass(frozen=True)
class FormToken:
    """One rendering of a review's form: the revision shown, and a name for this rendering."""

    revision: int
    nonce: str


def issue_token(review: ReviewRequest, user: User) -> str:
    """Sign what is shown to whom. It has no end: the review's deadline is the end."""
    shown = [str(review.pk), review.revision, str(user.pk), uuid.uuid4().hex]
    return signing.dumps(shown, salt=SALT)


def read_token(signed: str, review: ReviewRequest, user: User) -> FormToken:
    """Raises: ReviewChangedError for a token that is not about this review and this person."""
    try:
        review_id, revision, user_id, nonce = signing.loads(signed, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise ReviewChangedError(review) from None
    if (review_id, user_id) != (str(review.pk), str(user.pk)):
        raise ReviewChangedError(review)
    return FormToken(revision, nonce)


def is_current(signed: str, review: ReviewRequest, user: User) -> bool:
    """Whether a token is about what this review says now."""
    try:
        return read_token(signed, review, user).revision == review.revision
    except ReviewChangedError:
        return False


def seal(values: Mapping[str, str], review: ReviewRequest) -> str:
    """Encrypt passwords for a trip through a page, bound to one review."""
    plain = json.dumps([str(review.pk), dict(values)]).encode()
    return base64.urlsafe_b64encode(encrypt(plain)).decode()


def unseal(sealed: str, review: ReviewRequest) -> dict[str, str]:
    """What `seal` put in; nothing if it was touched, or belongs to another review."""
    try:
        content: Any = json.loads(decrypt(base64.urlsafe_b64decode(sealed)))
    except (UndecryptableError, binascii.Error, ValueError):
        return {}
    review_id, values = content
    return values if review_id == str(review.pk) else {}
