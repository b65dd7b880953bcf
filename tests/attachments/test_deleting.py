"""Deleting files, alone and with what they belong to: their objects go too, and nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Workspace
from attachments import deleting, previews, workshop
from attachments.deleting import delete_files, remove_objects
from attachments.edits import send_edits
from attachments.models import Attachment, Preview, Removal, State
from attachments.previews import make_next_preview
from attachments.storage import StorageUnavailableError, is_stored
from inbox.models import Channel
from inbox.services.channels import delete_channel
from inbox.services.messages import delete_message
from tests.attachments import samples
from tests.factories import make_file, make_message, make_person

pytestmark = pytest.mark.django_db


def with_thumbnails(channel: Channel) -> Attachment:
    """A picture on a message of its own, and its preview made."""
    file = make_file(
        channel,
        content=samples.picture(),
        filename="chart.png",
        mime_type="image/png",
        message=make_message(channel),
    )
    assert make_next_preview(now=timezone.now())
    return file


def objects_of(file: Attachment) -> list[str]:
    parts = [f"{file.storage_key}.preview/{size}.webp" for size in (96, 320, 1280)]
    return [key for key in (file.storage_key, *parts) if is_stored(key)]


def draw_on(file: Attachment, state: State) -> Attachment:
    person = make_person(file.workspace)
    edit = make_file(file.channel, edit_of=file, uploaded_by_user=person, state=State.DRAFT)
    if state == State.READY:
        send_edits([edit.pk])
    return edit


def test_deleted_file_is_gone_at_once_and_its_objects_after_the_worker(channel: Channel) -> None:
    file, other = with_thumbnails(channel), make_file(channel)
    assert delete_files([file]) == 1
    assert list(Attachment.objects.all()) == [other]
    assert len(objects_of(file)) == 4
    assert remove_objects(now=timezone.now()) == 4
    assert objects_of(file) == []
    assert objects_of(other) == [other.storage_key]
    assert not Removal.objects.exists()


def _with_its_message(file: Attachment) -> None:
    assert file.message is not None
    delete_message(file.message)


def _with_its_channel(file: Attachment) -> None:
    delete_channel(file.channel)


def _with_its_workspace(file: Attachment) -> None:
    Workspace.objects.filter(pk=file.workspace_id).delete()


@pytest.mark.parametrize("delete", [_with_its_message, _with_its_channel, _with_its_workspace])
def test_objects_go_with_whatever_held_their_file(
    channel: Channel, delete: Callable[[Attachment], None]
) -> None:
    file = with_thumbnails(channel)
    delete(file)
    assert not Attachment.objects.exists()
    remove_objects(now=timezone.now())
    assert objects_of(file) == []


def test_deletion_that_is_rolled_back_removes_nothing(channel: Channel) -> None:
    file = with_thumbnails(channel)
    with transaction.atomic():
        delete_channel(file.channel)
        transaction.set_rollback(True)
    assert remove_objects(now=timezone.now()) == 0
    assert len(objects_of(file)) == 4


def test_object_that_cannot_be_removed_is_tried_again_later(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = make_file(channel), timezone.now()
    delete_files([file])

    def refuse(key: str) -> None:
        raise StorageUnavailableError("no")

    with monkeypatch.context() as patched:
        patched.setattr(deleting, "delete", refuse)
        assert remove_objects(now=now + timedelta(seconds=1)) == 0
    assert remove_objects(now=now + timedelta(seconds=2)) == 0  # not every two seconds
    assert remove_objects(now=now + timedelta(minutes=2)) == 1
    assert objects_of(file) == []


def test_storage_that_is_away_is_not_asked_for_every_object(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_files([make_file(channel) for _ in range(9)])
    asked = []

    def refuse(key: str) -> None:
        asked.append(key)
        raise StorageUnavailableError("no")

    with monkeypatch.context() as patched:
        patched.setattr(deleting, "delete", refuse)
        for _ in range(2):
            remove_objects(now=timezone.now())
    assert len(set(asked)) == len(asked) == 2 * deleting.MOST_REFUSED
    assert remove_objects(now=timezone.now() + timedelta(minutes=2)) == 9


def test_object_that_is_gone_already_is_no_failure(channel: Channel) -> None:
    file = make_file(channel)
    delete_files([file])
    default_storage.delete(file.storage_key)
    assert remove_objects(now=timezone.now()) == 1


def test_drafts_on_a_deleted_file_go_and_sent_drawings_stay(channel: Channel) -> None:
    file = with_thumbnails(channel)
    draft, sent = draw_on(file, State.DRAFT), draw_on(file, State.READY)
    delete_files(Attachment.objects.filter(pk=file.pk))
    assert not Attachment.objects.filter(pk=draft.pk).exists()
    sent.refresh_from_db()
    assert (sent.state, sent.edit_of, sent.is_answer) == (State.READY, None, True)
    remove_objects(now=timezone.now())
    assert objects_of(sent) == [sent.storage_key]


def test_file_that_left_the_state_it_had_stays(channel: Channel) -> None:
    edit = draw_on(with_thumbnails(channel), State.DRAFT)
    stale = [edit]
    send_edits([edit.pk])
    assert delete_files(stale, where=Q(state=State.DRAFT)) == 0
    assert Attachment.objects.filter(pk=edit.pk).exists()


def test_preview_made_of_a_file_that_is_deleted_meanwhile_goes_too(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(
        channel, content=samples.picture(), filename="chart.png", mime_type="image/png"
    )
    make = workshop.make_parts

    def make_slowly(of: Attachment, kind: str) -> dict[str, bytes]:
        made = make(of, kind)
        delete_files([of])
        assert remove_objects(now=timezone.now()) == 4
        return made

    monkeypatch.setattr(previews, "make_parts", make_slowly)
    make_next_preview(now=timezone.now())
    assert not Preview.objects.exists()
    assert len(objects_of(file)) == 3
    remove_objects(now=timezone.now())
    assert objects_of(file) == []


def test_objects_of_many_files_are_remembered_in_one_statement(channel: Channel) -> None:
    message = make_message(channel)
    keys = {make_file(channel, message=message).storage_key for _ in range(5)}
    with CaptureQueriesContext(connection) as captured:
        delete_message(message)
    inserts = [each for each in captured.captured_queries if "attachments_removal" in each["sql"]]
    assert len(inserts) == 1
    assert keys <= set(Removal.objects.values_list("key", flat=True))


def test_objects_stay_if_the_deletion_fails_and_another_one_follows(channel: Channel) -> None:
    """What the failed one noted must not go with the next."""
    kept, file = make_file(channel), make_file(channel)

    def fail(**_: object) -> None:
        raise DatabaseError

    pre_delete.connect(fail, sender=Attachment)
    try:
        with pytest.raises(DatabaseError):
            delete_files([kept])
    finally:
        pre_delete.disconnect(fail, sender=Attachment)
    delete_files([file])
    remove_objects(now=timezone.now())
    assert objects_of(kept) == [kept.storage_key]
    assert objects_of(file) == []
