"""A browser that is signed in, and one of somebody who may only look."""

import pytest
from django.test import Client

from accounts.models import Role, User, Workspace
from tests.factories import make_person


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def browser(person: User) -> Client:
    return signed_in(person)


@pytest.fixture
def viewer(workspace: Workspace) -> Client:
    return signed_in(make_person(workspace, Role.VIEWER))


@pytest.fixture
def outsider(db: None) -> Client:
    """Signed in, in a workspace of their own."""
    return signed_in(make_person())
