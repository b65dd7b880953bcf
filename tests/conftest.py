"""The cast and the stage: an agent with a key, a stranger's key, and a receiver on loopback."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models.signals import post_migrate
from django.test import Client
from django.utils import timezone, translation
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from accounts import key_memory
from accounts.models import User, Workspace
from api.people.tokens import issue_token
from inbox.models import Channel
from tests import ceph as servers
from tests import migrated
from tests.ceph import Ceph
from tests.factories import make_channel, make_key, make_person, make_workspace
from tests.receiver import Receiver

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


@dataclass
class Agent:
    """Calls the API with a key, as an agent does."""

    key: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"x-api-key": self.key}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`body` is sent as JSON; bytes go as they are. A streamed answer is read: `.body`."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer: Any = Client(raise_request_exception=False).generic(
            method,
            path,
            b"" if body is None else content,
            content_type="application/json",
            headers=self.credentials | headers,
        )
        if answer.streaming:
            answer.body = b"".join(answer)
        return answer

    def send_form(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        """POST a multipart form; a field named `file` is sent as a file `a.txt`."""
        form = dict(fields)
        if "file" in form:
            form["file"] = sent_file(path, form["file"])
        client = Client(raise_request_exception=False)
        return client.post(path, form, headers=self.credentials | headers)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)


def sent_file(path: str, text: str) -> SimpleUploadedFile:
    """What a documented form sends: text, or a picture where only a picture will do."""
    if path.endswith("/avatar"):
        return SimpleUploadedFile("a.png", PIXEL, "image/png")
    return SimpleUploadedFile("a.txt", text.encode(), "text/plain")


class Caller(Agent):
    """Calls the API with a token, as a person's script does."""

    @property
    def credentials(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


def signed_in(person: User) -> Caller:
    return Caller(issue_token(person, now=timezone.now()).clear)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hashing a password well takes 50 ms, and nearly every test makes a person."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _static_files_when_asked(settings: Settings) -> None:
    """Every test client loads the middleware; looking through all static files takes 20 ms."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _language_of_nobody() -> None:
    """Not the one that the last page was made in; each request chooses its own."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _keys_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """None from other tests; those of this one as long as it lasts, however slow the machine is."""
    key_memory._good.clear()
    monkeypatch.setattr(key_memory, "TRUSTED_SECONDS", 600.0)


def _ends_with_the_run() -> bool:
    """Whether the database is in a folder or on a server of this run."""
    return connection.vendor == "sqlite" or "TEST_DATABASE_OURS" in os.environ


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    return _ends_with_the_run()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Each process copies what one of them migrated; nothing is left on a foreign server."""
    test = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        migrated.copy_sqlite(Path(test["NAME"]))
    elif _ends_with_the_run():
        test["TEMPLATE"] = migrated.postgresql_template(settings.DATABASE_URL)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test with transactions of its own, tables are emptied, and that is all.

    Truncating fifty tables takes PostgreSQL 50 ms, and writing Django's permissions again as long.
    """
    type(connection.ops).sql_flush = _deletions  # type: ignore[method-assign]
    post_migrate.receivers.clear()
    yield
    with django_db_blocker.unblock():
        connection.close()


def _deletions(
    self: BaseDatabaseOperations, style: object, tables: Sequence[str], **_: object
) -> list[str]:
    names = set(tables) - {"auth_permission", "django_content_type"}
    return [f"DELETE FROM {self.quote_name(name)}" for name in names]  # noqa: S608  # our tables


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    return make_channel(workspace)


@pytest.fixture
def person(workspace: Workspace) -> User:
    return make_person(workspace)


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    return Agent(make_key(workspace).clear)


@pytest.fixture
def stranger(db: None) -> Agent:
    """Another workspace's key, with a channel of its own."""
    elsewhere = make_workspace("Elsewhere")
    make_channel(elsewhere, name="Foreign")
    return Agent(make_key(elsewhere).clear)


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """One for the whole run; it starts in about 15 seconds."""
    reason = servers.missing()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with Ceph() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
