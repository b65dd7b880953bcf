"""API keys: shape, storage, end."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.ids import parse_uuid, uuid7
from accounts.models import ApiKey, User, Workspace
from accounts.queries import key_for_clear_text
from accounts.services import generate_key, is_well_formed, issue_key, note_key_use, revoke_key


def test_generated_key_is_39_characters_with_its_checksum() -> None:
    key = generate_key()
    assert (len(key), key[:3]) == (39, "hp_")
    assert is_well_formed(key)
    changed = key[:10] + ("a" if key[10] != "a" else "b") + key[11:]
    assert not is_well_formed(changed)


def test_key_of_placet_is_well_formed() -> None:
    assert is_well_formed("hp_" + "0123456789abcdef" * 3)


def test_key_is_stored_as_hash_and_prefix_only(workspace: Workspace) -> None:
    issued = issue_key(workspace=workspace, created_by=None, label="x")
    row = ApiKey.objects.values().get(pk=issued.row.pk)
    assert issued.clear not in str(row)
    assert row["key_prefix"] == issued.clear[:11]


def test_revoked_key_is_dead_at_once(workspace: Workspace) -> None:
    issued, now = issue_key(workspace=workspace, created_by=None, label="x"), timezone.now()
    assert key_for_clear_text(issued.clear, now=now) == issued.row
    revoke_key(issued.row, now=now)
    assert key_for_clear_text(issued.clear, now=now) is None


def test_last_use_is_noted_at_most_every_five_minutes(workspace: Workspace) -> None:
    issued, now = issue_key(workspace=workspace, created_by=None, label="x"), timezone.now()
    for minutes in (0, 4, 6):
        issued.row.refresh_from_db()
        note_key_use(issued.row, now=now + timedelta(minutes=minutes))
    issued.row.refresh_from_db()
    assert issued.row.last_used_at == now + timedelta(minutes=6)


@pytest.mark.django_db
def test_one_account_for_an_address_in_any_case() -> None:
    User.objects.create_user("Ines@Example.org", "pw")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ines@example.ORG", "pw")
    assert User.objects.get_by_natural_key("INES@example.org").email == "ines@example.org"


def test_ids_sort_by_time_and_are_version_7() -> None:
    now = timezone.now()
    ids = [uuid7(now + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert {made.version for made in ids} == {7}
    assert parse_uuid(str(ids[0])) == ids[0]


@pytest.mark.parametrize("text", ["", "x", "{01a1fbfb-face-7572-91e0-670124d68395}", "0" * 32])
def test_only_the_canonical_form_of_an_id_is_read(text: str) -> None:
    assert parse_uuid(text) is None
