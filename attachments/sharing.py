"""Links that open one file to whoever has them, for an hour.

A link is signed with a salt of its own, so nothing else that this server signs opens a file, and
a link opens nothing else. It holds the file's id and the time: with the file, its links end. A
secret key that was replaced still counts while it stands in SECRET_KEY_FALLBACKS.
"""

import uuid

from django.core import signing

from attachments.models import Attachment, State

LIVES_SECONDS = 3600
LONGEST_TOKEN = 200


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="attachments.sharing", sep=".")


def share_token(file: Attachment) -> str:
    """Letters, digits, `.`, `-` and `_`: it stands in an address."""
    return _signer().sign(file.pk.hex)


def shared_file(token: str) -> Attachment | None:
    """The file that a link opens now; None for any other text."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        wanted = uuid.UUID(_signer().unsign(token, max_age=LIVES_SECONDS))
    except (signing.BadSignature, ValueError):
        return None
    return Attachment.objects.filter(pk=wanted, state=State.READY).first()
