"""What the tests of people's routes share."""

import pytest

from accounts.models import User
from tests.conftest import Caller, signed_in


@pytest.fixture
def caller(person: User) -> Caller:
    """Somebody who is signed in: the owner of the workspace."""
    return signed_in(person)
