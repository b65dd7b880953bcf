"""Sweeping what nobody finished, and comparing rows with objects, on both kinds of storage."""

import os
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.ids import uuid7
from attachments import services, storage
from attachments.backends import Objects, StoredObject
from attachments.deleting import delete_files, remove_objects
from attachments.edits import send_edits
from attachments.models import Attachment, Reconciliation, Removal, Sighting, State
from attachments.previews import make_next_preview
from attachments.reconciling import Counts, reconcile, reconcile_daily
from attachments.services import TextFile, claim_attachments, link_texts, stage_texts
from attachments.storage import StorageUnavailableError, delete, is_stored, new_key, put
from attachments.sweeping import sweep
from attachments.tasks import tick_sweep
from inbox.models import Channel
from tests.attachments import samples
from tests.factories import make_file, make_message, make_person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
AN_HOUR = timedelta(hours=1)


def compare(now: datetime, *, delete: bool = True) -> Counts:
    counts = reconcile(now=now, delete=delete)
    remove_objects(now=timezone.now())
    return counts


def stray(channel: Channel, suffix: str = "") -> str:
    """An object that no row names."""
    key = new_key(channel.workspace_id, timezone.now()) + suffix
    put(key, b"stray")
    return key


def everything(channel: Channel) -> list[Attachment]:
    """One file of each kind that has to stay for ever, all of them old."""
    on_message = make_file(channel, message=make_message(channel))
    picture = make_file(
        channel,
        message=on_message.message,
        content=samples.picture(),
        filename="chart.png",
        mime_type="image/png",
    )
    make_next_preview(now=timezone.now())
    author = make_person(channel.workspace)
    draft, sent = (
        make_file(channel, edit_of=picture, uploaded_by_user=author, state=State.DRAFT)
        for _ in range(2)
    )
    send_edits([sent.pk])
    Attachment.objects.update(created_at=timezone.now() - 20 * DAY)
    return [on_message, picture, draft, sent]


# Sweeping


def test_sweep_takes_what_was_not_finished_or_not_claimed_in_time(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    kept = everything(channel)
    for state in (State.STAGED, State.READY):
        make_file(channel, state=state, created_at=now - DAY - AN_HOUR)
        kept.append(make_file(channel, state=state, created_at=now - DAY + AN_HOUR))
    assert sweep(now=now) == 2
    assert set(Attachment.objects.all()) == set(kept)
    assert remove_objects(now=timezone.now()) == 2
    assert all(is_stored(file.storage_key) for file in kept)
    assert sweep(now=now) == 0


def test_files_without_a_message_stay_if_the_operator_wishes(
    channel: Channel, now: datetime, settings: Settings
) -> None:
    settings.UNLINKED_FILES_KEPT = timedelta()
    make_file(channel, created_at=now - 300 * DAY)
    assert sweep(now=now) == 0


def test_file_that_a_message_claims_meanwhile_stays(
    channel: Channel, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(channel, created_at=now - 2 * DAY)

    def claim_first(found: Any, **given: Any) -> int:
        files = list(found)
        if files:
            claim_attachments(make_message(channel), ids=[str(file.pk)], key=None)
        return delete_files(files, **given)

    monkeypatch.setattr("attachments.sweeping.delete_files", claim_first)
    assert sweep(now=now) == 0
    assert Attachment.objects.get().message is not None


def test_texts_of_a_message_that_failed_are_seen_by_nobody_and_swept(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    text = TextFile("a.txt", "text/plain", "hello")
    (staged,) = stage_texts(channel, files=[text], key=None, now=now)
    assert compare(now).clean
    assert sweep(now=now + DAY - AN_HOUR) == 0
    assert sweep(now=now + DAY + AN_HOUR) == 1
    remove_objects(now=timezone.now())
    assert not is_stored(staged.storage_key)


def test_texts_that_were_swept_refuse_their_message(channel: Channel, now: datetime) -> None:
    text = TextFile("a.txt", "text/plain", "hello")
    staged = stage_texts(channel, files=[text], key=None, now=now)
    delete_files(staged)
    with pytest.raises(services.AttachmentNotFoundError):
        link_texts(make_message(channel), files=staged)


def test_bodies_that_were_not_received_to_their_end_go_away(now: datetime) -> None:
    old, young = (Path(live.FILE_UPLOAD_TEMP_DIR) / f"{age}.upload.txt" for age in ("old", "young"))
    for path in (old, young):
        path.write_text("half")
    long_ago = (now - 2 * DAY).timestamp()
    os.utime(old, (long_ago, long_ago))
    sweep(now=now)
    assert (old.exists(), young.exists()) == (False, True)
    young.unlink()


# Comparing


def test_what_belongs_together_is_clean(objects: Objects, channel: Channel, now: datetime) -> None:
    everything(channel)
    counts = compare(now)
    assert counts.clean
    assert (counts.files, counts.objects, counts.foreign) == (4, 7, 0)
    assert not Sighting.objects.exists()


def test_object_without_a_row_goes_at_its_second_sight_a_day_later(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    keys = [stray(channel), stray(channel, ".preview/96.webp")]
    kept = everything(channel)
    assert (compare(now).unknown, compare(now + DAY - AN_HOUR).unknown) == (2, 2)
    assert all(is_stored(key) for key in keys)
    later = compare(now + DAY)
    assert (later.unknown, later.removed) == (0, 2)
    assert not any(is_stored(key) for key in keys)
    assert all(is_stored(file.storage_key) for file in kept)
    assert not Sighting.objects.exists()
    assert compare(now + DAY).clean


def test_without_delete_nothing_goes(objects: Objects, channel: Channel, now: datetime) -> None:
    key = stray(channel)
    for at in (now, now + 2 * DAY):
        assert compare(at, delete=False).unknown == 1
    assert is_stored(key)
    assert not Removal.objects.exists()


def test_object_that_got_its_row_is_forgotten(channel: Channel, now: datetime) -> None:
    file = make_file(channel)
    Sighting.objects.create(key=file.storage_key, first_seen_at=now - 9 * DAY, last_seen_at=now)
    assert compare(now + AN_HOUR).clean
    assert is_stored(file.storage_key)
    assert not Sighting.objects.exists()


def test_lost_and_damaged_files_are_told_and_their_rows_stay(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    kept = everything(channel)
    lost, damaged = kept[0], kept[3]
    delete(lost.storage_key)
    delete(damaged.storage_key)
    put(damaged.storage_key, b"other")
    Attachment.objects.filter(pk=damaged.pk).update(size=99)
    counts = compare(now)
    assert (counts.lost, counts.damaged, counts.unknown, counts.clean) == (1, 1, 0, False)
    assert Attachment.objects.count() == len(kept)


def test_deleted_files_are_no_difference_while_a_worker_is_on_its_way(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    delete_files([make_file(channel)])
    counts = reconcile(now=now, delete=True)
    assert (counts.waiting, counts.clean) == (1, True)


def test_what_others_stored_is_left_alone(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    other = new_key(uuid7(now), now)
    for key in ("backup.tar", "a/b/c", f"{channel.workspace_id}/notes", other):
        put(key, b"theirs")
    for at in (now, now + 2 * DAY):
        counts = compare(at)
        assert (counts.foreign, counts.objects, counts.clean) == (4, 0, True)
    assert is_stored(other)


def test_a_day_has_one_comparison_and_one_that_broke_off_is_made_again(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning = timezone.now().replace(hour=1)

    def refuse() -> None:
        raise StorageUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "listing", refuse)
        with pytest.raises(StorageUnavailableError):
            reconcile_daily(now=morning)
    assert reconcile_daily(now=morning + AN_HOUR) is None
    assert reconcile_daily(now=morning + 4 * AN_HOUR) is not None
    assert reconcile_daily(now=morning + 9 * AN_HOUR) is None
    assert reconcile_daily(now=morning + DAY) is not None
    reconcile_daily(now=morning + 60 * DAY)
    assert Reconciliation.objects.count() == 1


def test_tick_sweeps_and_compares(channel: Channel) -> None:
    make_file(channel, created_at=timezone.now() - 2 * DAY)
    tick_sweep()
    tick_sweep()
    assert Reconciliation.objects.get().counts["waiting"] == 1


def test_memory_does_not_grow_with_the_number_of_objects(
    channel: Channel, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def peak_of(number: int) -> int:
        def many() -> Any:
            for each in range(number):
                key = f"{channel.workspace_id}/2026/11/{each:026x}"
                yield StoredObject(key, 1, now)

        monkeypatch.setattr(storage, "listing", many)
        tracemalloc.start()
        counts = reconcile(now=now, delete=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert counts.unknown == number
        return peak

    peak_of(500)
    assert peak_of(5000) < 1.3 * peak_of(1500)


# The command


def run(*arguments: str) -> tuple[str, int]:
    output, code = StringIO(), 0
    try:
        call_command("reconcile_files", *arguments, stdout=output)
    except SystemExit as end:
        code = int(end.code or 0)
    return output.getvalue(), code


def test_command_says_in_words_what_it_found(objects: Objects, channel: Channel) -> None:
    everything(channel)
    said, code = run()
    assert code == 0
    assert "4  files, each with a row" in said
    assert "Nothing is lost, and nothing is too much." in said


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda channel: delete(make_file(channel).storage_key), "1  LOST"),
        (stray, "1  TOO MUCH"),
    ],
    ids=["lost", "too much"],
)
def test_command_fails_if_they_differ(
    objects: Objects, channel: Channel, harm: Callable[[Channel], object], line: str
) -> None:
    harm(channel)
    said, code = run()
    assert code == 1
    assert line in said


def test_command_removes_what_was_seen_a_day_ago(
    objects: Objects, channel: Channel, now: datetime
) -> None:
    key = stray(channel)
    assert run("--delete")[1] == 1
    assert is_stored(key)
    Sighting.objects.update(first_seen_at=now - DAY)
    said, code = run("--delete")
    assert (code, "1  objects without a row that were removed" in said) == (0, True)
    assert not is_stored(key)
