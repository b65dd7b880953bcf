"""Rows that are stored by a statement of their own are as `save` would have stored them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, models, transaction

from accounts.ids import uuid7
from accounts.inserts import insert, insert_all
from accounts.models import Workspace
from api.models import Call, CallBodies
from inbox.models import Channel, Message, Sender
from reviews.models import ReviewRequest, Status
from tests.factories import make_channel

NOW = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)
SAYS = "Deploy “4.2” to Łódź?\n\\ 100 %s"

type Store = Callable[[models.Model], object]


def by_save(row: models.Model) -> None:
    row.save(force_insert=True)


def by_the_many(row: models.Model) -> None:
    insert_all([row])


@pytest.fixture(params=[by_save, insert, by_the_many], ids=["save", "insert", "insert_all"])
def store(request: pytest.FixtureRequest) -> Store:
    chosen: Store = request.param
    return chosen


def message_in(channel: Channel) -> Message:
    return Message(
        workspace=channel.workspace,
        channel=channel,
        sender=Sender.AGENT,
        text=SAYS,
        iteration_group=channel.pk,
        iteration=3,
        deleted_files=[{"filename": "a.txt"}],
        created_at=NOW,
    )


@pytest.mark.django_db
def test_message_comes_back_as_it_was(store: Store) -> None:
    message = message_in(make_channel())

    store(message)

    found = Message.objects.get()
    for field in Message._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(message, field.attname), field.name


@pytest.mark.django_db
def test_review_with_an_encrypted_column_comes_back_as_it_was(store: Store) -> None:
    message = message_in(make_channel())
    message.save()
    review = ReviewRequest(
        message=message,
        workspace=message.workspace,
        channel=message.channel,
        kind="approval",
        callback_headers_json='{"x-token": "s3cret"}',
        expires_at=NOW + timedelta(hours=1),
        status=Status.PENDING,
        modified_file_ids=["a"],
        created_at=NOW,
    )

    store(review)

    found = ReviewRequest.objects.get()
    for field in ReviewRequest._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(review, field.attname), field.name


@pytest.mark.django_db
def test_stored_row_can_be_saved_again() -> None:
    message = message_in(make_channel())
    insert(message)

    message.text = "changed"
    message.save()

    assert Message.objects.get().text == "changed"


@pytest.mark.django_db
def test_many_rows_are_stored_in_one_statement(
    django_assert_num_queries: Callable[[int], object],
) -> None:
    workspace = Workspace.objects.create(name="Home")
    about = {
        "workspace": workspace,
        "key_id": uuid7(NOW),
        "duration_ms": 3,
        "status": 201,
        "request_bytes": 0,
    }
    calls = [Call(**about, path=f"/{number}", created_at=NOW) for number in range(30)]
    bodies = [CallBodies(call=call, workspace=workspace, size=1, request="1") for call in calls]

    with django_assert_num_queries(2):  # type: ignore[attr-defined]  # a context manager
        insert_all(calls)
        insert_all(bodies)
        insert_all([])

    assert Call.objects.count() == CallBodies.objects.count() == len(calls)
    assert Call.objects.get(path="/7").created_at == NOW


@pytest.mark.django_db
def test_row_that_breaks_a_rule_is_refused(store: Store) -> None:
    message = message_in(make_channel())
    message.client_id = "once"
    message.save()
    again = message_in(message.channel)
    again.client_id = "once"

    with pytest.raises(IntegrityError), transaction.atomic():
        store(again)
