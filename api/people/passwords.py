"""What a new password has to be."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from api.placet.errors import InvalidBodyError, fault


def require_good(password: str, user: User | None, *, field: str) -> None:
    """Raises: InvalidBodyError."""
    try:
        validate_password(password, user)
    except ValidationError as weak:
        problems = [fault("weak_password", text, field) for text in weak.messages]
        raise InvalidBodyError(*problems) from None
