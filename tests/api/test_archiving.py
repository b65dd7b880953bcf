"""Old messages go into files and out of the database, and whatever happens, none is lost."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.models import User
from api import archiving
from api.archive_files import ArchiveError, only_one, read_archive
from api.archiving import TooYoungError, remove_messages
from api.tasks import tick_remove_messages
from attachments.models import Attachment, Removal
from delivery import faults
from inbox.models import Channel, Message, StatusEvent, Thread
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.factories import make_file, make_message, make_review, make_thread

pytestmark = pytest.mark.django_db

MAY = datetime(2025, 5, 20, 12, tzinfo=UTC)
JUNE = datetime(2025, 6, 2, 12, tzinfo=UTC)


@pytest.fixture
def cut(now: datetime) -> datetime:
    return now - timedelta(days=30)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "BATCH", 2)


def archived(folder: Path, channel: Channel) -> dict[str, dict[str, object]]:
    """All messages of a workspace's files, by their ids."""
    files = sorted((folder / str(channel.workspace_id)).glob("*.jsonl"))
    return {str(each["id"]): each for path in files for each in read_archive(path)}


def lines(folder: Path) -> list[bytes]:
    return [line for path in folder.rglob("*.jsonl") for line in path.read_bytes().splitlines()]


def test_old_messages_are_in_files_of_their_month_and_nowhere_else(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    may, june = make_message(channel, now=MAY, text="May"), make_message(channel, now=JUNE)
    young = make_message(channel)
    removed = remove_messages(before=cut, now=now, folder=tmp_path)
    assert removed.messages == 2
    assert list(Message.objects.values_list("pk", flat=True)) == [young.pk]
    home = tmp_path / str(channel.workspace_id)
    assert [path.name for path in sorted(home.iterdir())] == ["2025-05.jsonl", "2025-06.jsonl"]
    kept = archived(tmp_path, channel)
    assert set(kept) == {str(may.pk), str(june.pk)}
    assert kept[str(may.pk)]["text"] == "May"
    assert (home / "2025-05.jsonl").stat().st_mode & 0o077 == 0


def test_what_hangs_on_a_message_goes_with_it(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    thread = make_thread(channel)
    message = make_message(channel, now=MAY, thread=thread, stream_id="s", stream_state="complete")
    file = make_file(channel, filename="plan.txt", message=message)
    StatusEvent.objects.create(channel=channel, stream_id="s", index=0, text="Looking")
    remove_messages(before=cut, now=now, folder=tmp_path)
    kept = archived(tmp_path, channel)[str(message.pk)]
    assert [each["filename"] for each in kept["attachments"]] == ["plan.txt"]  # type: ignore[attr-defined]
    assert [each["text"] for each in kept["statusEvents"]] == ["Looking"]  # type: ignore[attr-defined]
    assert not Attachment.objects.exists()
    assert Removal.objects.filter(key=file.storage_key).exists()
    assert not StatusEvent.objects.exists()
    assert not Thread.objects.exists()


def test_what_waits_stays(channel: Channel, now: datetime, cut: datetime, tmp_path: Path) -> None:
    pending = make_review(channel=channel, now=MAY, expires_in=timedelta(days=900)).message
    running = make_message(channel, now=MAY, stream_id="s", stream_state="streaming")
    assert remove_messages(before=cut, now=now, folder=tmp_path).messages == 0
    assert set(Message.objects.values_list("pk", flat=True)) == {pending.pk, running.pk}


def test_chain_goes_as_a_whole_or_stays(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    first = make_message(channel, now=MAY)
    make_message(channel, now=JUNE, iteration_of=first)
    between = MAY + timedelta(days=3)
    assert remove_messages(before=between, now=now, folder=tmp_path).messages == 0
    assert remove_messages(before=cut, now=now, folder=tmp_path).messages == 2


def test_passwords_are_not_archived(
    channel: Channel, person: User, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    payload = {"fields": [{"name": "pin", "type": "password", "label": "PIN"}]}
    asked = make_review("form", payload, channel=channel, now=MAY)
    ReviewRequest.objects.update(expires_at=now + timedelta(hours=1))
    response = {"pin": "hush-4711"}
    answer_review(asked, answer=Answer(response=response, by=person, via=Closer.PAGE))
    assert remove_messages(before=cut, now=now, folder=tmp_path).messages == 1
    assert b"hush-4711" not in b"".join(lines(tmp_path))


def test_running_again_changes_nothing(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    make_message(channel, now=MAY)
    remove_messages(before=cut, now=now, folder=tmp_path)
    before = lines(tmp_path)
    assert remove_messages(before=cut, now=now, folder=tmp_path).messages == 0
    assert lines(tmp_path) == before


class DiedError(Exception):
    pass


def dies_at(point: str) -> Callable[[str], None]:
    def hit(name: str, about: str = "") -> None:
        if name == point:
            raise DiedError

    return hit


@pytest.mark.parametrize("point", ["archive.before_delete", "archive.after_delete"])
def test_death_in_between_loses_nothing_and_doubles_nothing(
    channel: Channel,
    now: datetime,
    cut: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    point: str,
    small_batches: None,
) -> None:
    ids = {str(make_message(channel, now=MAY + timedelta(hours=n)).pk) for n in range(5)}
    with monkeypatch.context() as dying:
        dying.setattr(faults, "hit", dies_at(point))
        with pytest.raises(DiedError):
            remove_messages(before=cut, now=now, folder=tmp_path)
    there = {str(pk) for pk in Message.objects.values_list("pk", flat=True)}
    assert there | archived(tmp_path, channel).keys() == ids
    remove_messages(before=cut, now=now, folder=tmp_path)
    assert not Message.objects.exists()
    assert archived(tmp_path, channel).keys() == ids
    assert len(lines(tmp_path)) == 5


def test_line_that_was_not_finished_is_written_again(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    first = make_message(channel, now=MAY)
    remove_messages(before=cut, now=now, folder=tmp_path)
    (path,) = tmp_path.rglob("*.jsonl")
    second = make_message(channel, now=MAY)
    with path.open("ab") as file:
        file.write(b'{"message": {"id": "' + str(second.pk).encode())
    remove_messages(before=cut, now=now, folder=tmp_path)
    assert archived(tmp_path, channel).keys() == {str(first.pk), str(second.pk)}


def test_message_that_changed_meanwhile_stays_and_its_last_line_holds(
    channel: Channel,
    now: datetime,
    cut: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = make_message(channel, now=MAY)

    def change(point: str, about: str = "") -> None:
        Message.objects.filter(pk=message.pk).update(text="Changed", updated_at=now)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(faults, "hit", change)
        removed = remove_messages(before=cut, now=now, folder=tmp_path)
    assert (removed.messages, removed.kept_back) == (0, 1)
    assert remove_messages(before=cut, now=now, folder=tmp_path).messages == 1
    assert archived(tmp_path, channel)[str(message.pk)]["text"] == "Changed"


def test_file_that_is_no_archive_is_left_alone(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    make_message(channel, now=MAY)
    path = tmp_path / str(channel.workspace_id) / "2025-05.jsonl"
    path.parent.mkdir()
    path.write_text("Dear diary\n")
    with pytest.raises(ArchiveError, match="no archived message"):
        remove_messages(before=cut, now=now, folder=tmp_path)
    assert Message.objects.exists()
    assert path.read_text() == "Dear diary\n"


def test_disk_that_loses_what_was_written_keeps_the_rows(
    channel: Channel,
    now: datetime,
    cut: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_message(channel, now=MAY)

    def lose(descriptor: int) -> None:
        (path,) = tmp_path.rglob("*.jsonl")
        path.write_bytes(b"")

    monkeypatch.setattr("api.archive_files.os.fsync", lose)
    monkeypatch.setattr("api.archive_files._sync_folders", lambda _path: None)
    with pytest.raises(ArchiveError, match="does not hold"):
        remove_messages(before=cut, now=now, folder=tmp_path)
    assert Message.objects.exists()


def test_only_one_process_writes(
    channel: Channel, now: datetime, cut: datetime, tmp_path: Path
) -> None:
    make_message(channel, now=MAY)
    with only_one(tmp_path), pytest.raises(ArchiveError, match="another process"):
        remove_messages(before=cut, now=now, folder=tmp_path)
    assert Message.objects.exists()


def test_what_may_not_have_arrived_yet_is_not_removed(now: datetime, tmp_path: Path) -> None:
    with pytest.raises(TooYoungError, match="72 hours"):
        remove_messages(before=now - timedelta(hours=71), now=now, folder=tmp_path)


def test_command_says_what_it_did(channel: Channel, tmp_path: Path) -> None:
    make_message(channel, now=MAY)
    output = StringIO()
    call_command("archive_messages", "--before=2025-06-01", f"--to={tmp_path}", stdout=output)
    assert output.getvalue() == "1 messages archived and deleted\n"
    (line,) = lines(tmp_path)
    assert json.loads(line)["message"]["text"] == "Hello"


def test_command_refuses_a_day_to_come(now: datetime, tmp_path: Path) -> None:
    day = (now + timedelta(days=2)).date()
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("archive_messages", f"--before={day}", f"--to={tmp_path}")


def test_tick_keeps_everything_unless_an_age_is_set(channel: Channel) -> None:
    make_message(channel, now=MAY)
    tick_remove_messages()
    assert Message.objects.exists()


@pytest.mark.parametrize("into_files", [False, True])
def test_tick_removes_what_is_too_old(
    channel: Channel, settings: Settings, tmp_path: Path, *, into_files: bool
) -> None:
    settings.MESSAGES_KEPT = timedelta(days=30)
    settings.MESSAGES_ARCHIVE = str(tmp_path) if into_files else ""
    make_message(channel, now=MAY)
    young = make_message(channel)
    tick_remove_messages()
    assert list(Message.objects.values_list("pk", flat=True)) == [young.pk]
    assert len(lines(tmp_path)) == into_files
