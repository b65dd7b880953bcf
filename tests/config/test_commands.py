"""Commands for operators: what they print, change and refuse."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Workspace
from delivery.keys import ensure_key_pair, key_pairs_of
from delivery.models import SigningKeyPair, SigningSecret
from inbox.models import Channel

pytestmark = pytest.mark.django_db

MISSING = "01a1fbfb-face-7572-91e0-670124d68395"


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue().strip()


def keys_of(workspace: Workspace) -> list[str]:
    return [pair.public_key for pair in key_pairs_of(workspace.pk, now=timezone.now())]


def test_show_signing_secret_prints_the_live_one(channel: Channel) -> None:
    shown = run("show_signing_secret", str(channel.pk))
    assert shown == SigningSecret.objects.get(scope=str(channel.pk)).secret
    assert run("show_signing_secret", str(channel.pk)) == shown


def test_rotate_webhook_key_keeps_the_old_key_for_the_overlap(workspace: Workspace) -> None:
    old = ensure_key_pair(workspace.pk).public_key
    new = run("rotate_webhook_key", str(workspace.pk))
    assert keys_of(workspace) == [new, old]


def test_rotate_webhook_key_without_overlap_ends_all_old_keys(workspace: Workspace) -> None:
    for _ in range(3):
        run("rotate_webhook_key", str(workspace.pk), "--overlap-hours", "1")
    newest = run("rotate_webhook_key", str(workspace.pk), "--overlap-hours", "0")
    assert keys_of(workspace) == [newest]


@pytest.mark.parametrize("hours", ["-1", "169"])
def test_rotate_webhook_key_refuses_an_odd_overlap(workspace: Workspace, hours: str) -> None:
    before = keys_of(workspace)
    with pytest.raises(CommandError, match="between 0 and 168 hours"):
        run("rotate_webhook_key", str(workspace.pk), f"--overlap-hours={hours}")
    assert keys_of(workspace) == before


def test_rotate_webhook_key_keeps_at_most_three_old_keys(workspace: Workspace) -> None:
    ensure_key_pair(workspace.pk)
    for _ in range(3):
        run("rotate_webhook_key", str(workspace.pk))
    with pytest.raises(CommandError, match="wait until one has ended"):
        run("rotate_webhook_key", str(workspace.pk))
    assert len(keys_of(workspace)) == 4


@pytest.mark.parametrize("unknown", [MISSING, "nonsense"])
@pytest.mark.parametrize("command", ["show_signing_secret", "rotate_webhook_key"])
def test_unknown_ids_are_refused(workspace: Workspace, command: str, unknown: str) -> None:
    with pytest.raises(CommandError, match=unknown):
        run(command, unknown)
    assert not SigningKeyPair.objects.exists()
