"""Every program in docs/webhooks.md is run as it stands, against real calls and a real server."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from delivery.engine import deliver_due
from delivery.keys import ensure_secret, rotate_secret
from delivery.models import Delivery, State
from inbox.models import Channel
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_person, make_review, make_workspace
from tests.guides import FENCE, programs_in, text_of
from tests.polling import happens_within, listens
from tests.postgres import free_port
from tests.receiver import Received, Receiver

PROGRAMS = programs_in("webhooks.md")
HERE = {
    "show_secrets.sh",
    "receive.py",
    "verify.sh",
    "verify_with_public_key.py",
    "rotate.sh",
    "catch_up.py",
}
WITH_NODE = {"receive.mjs"}  # tests/e2e/test_webhooks_guide.py


def test_every_program_of_the_guide_is_tried() -> None:
    assert PROGRAMS.keys() == HERE | WITH_NODE
    fences = FENCE.findall(text_of("webhooks.md"))
    assert len(fences) == len(PROGRAMS), "each has a name, and no name comes twice"


@pytest.mark.django_db(transaction=True)
class TestPrograms:
    """Each in a folder of its own, against a real server and a real delivery."""

    @pytest.fixture
    def channel(self) -> Channel:
        return make_channel(make_workspace())

    @pytest.fixture
    def person(self, channel: Channel) -> User:
        return make_person(channel.workspace)

    @pytest.fixture
    def agent(self, channel: Channel) -> Agent:
        return Agent(make_key(channel.workspace).clear)

    @pytest.fixture
    def secret(self, channel: Channel) -> str:
        row = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
        return str(row.secret)

    @pytest.fixture
    def saved(self, channel: Channel, person: User, receiver: Receiver, tmp_path: Path) -> Received:
        """A real delivery, saved as the guide says."""
        set_webhook(channel, webhook=Webhook(url=receiver.url))
        decide(channel, person)
        deliver_due()
        (request,) = receiver.received
        save(request, tmp_path)
        return request

    @pytest.fixture
    def server(
        self, live_server: LiveServer, channel: Channel, agent: Agent, settings: Settings
    ) -> dict[str, str]:
        """What a program has to know about a running server."""
        settings.PUBLIC_URL = live_server.url
        return {
            "LICET_URL": live_server.url,
            "LICET_KEY": agent.key,
            "LICET_AGENT": str(channel.pk),
        }

    def test_verify_sh_tells_genuine_from_forged(
        self, saved: Received, secret: str, tmp_path: Path
    ) -> None:
        genuine = run("verify.sh", tmp_path, LICET_SECRET=secret)
        assert (genuine.returncode, genuine.stdout.splitlines()[-1]) == (0, "genuine")
        first = saved.headers["webhook-signature"].split()[0]
        assert genuine.stdout.splitlines()[0] == f"computed: {first}"
        (tmp_path / "body.bin").write_bytes(saved.body.replace(b"approve", b"decline"))
        forged = run("verify.sh", tmp_path, LICET_SECRET=secret)
        assert (forged.returncode, forged.stdout.splitlines()[-1]) == (1, "forged")

    def test_verify_sh_finds_its_item_during_a_rotation(
        self, channel: Channel, person: User, receiver: Receiver, secret: str, tmp_path: Path
    ) -> None:
        set_webhook(channel, webhook=Webhook(url=receiver.url))
        rotate_secret(
            workspace_id=channel.workspace_id,
            scope=str(channel.pk),
            overlap=timedelta(hours=1),
            now=timezone.now(),
        )
        decide(channel, person)
        deliver_due()
        save(receiver.received[0], tmp_path)
        assert run("verify.sh", tmp_path, LICET_SECRET=secret).returncode == 0

    def test_verify_with_public_key_tells_genuine_from_forged(
        self, saved: Received, server: dict[str, str], agent: Agent, tmp_path: Path
    ) -> None:
        shown = agent.get(f"/api/v1/agents/{server['LICET_AGENT']}/signing-secrets").json()
        name = "verify_with_public_key.py"
        genuine = run(name, tmp_path, LICET_KEYS_URL=shown["keysUrl"])
        assert (genuine.returncode, genuine.stdout) == (0, "genuine\n"), genuine.stderr
        (tmp_path / "body.bin").write_bytes(saved.body + b" ")
        forged = run(name, tmp_path, LICET_KEYS_URL=shown["keysUrl"])
        assert (forged.returncode, forged.stdout) == (1, "forged\n"), forged.stderr
        save(saved, tmp_path)
        text = (tmp_path / "headers.txt").read_text()
        old = str(int(saved.headers["webhook-timestamp"]) - 301)
        (tmp_path / "headers.txt").write_text(text.replace(saved.headers["webhook-timestamp"], old))
        assert run(name, tmp_path, LICET_KEYS_URL=shown["keysUrl"]).stdout == "forged\n"

    def test_secrets_are_shown_and_rotated(
        self, server: dict[str, str], secret: str, tmp_path: Path
    ) -> None:
        shown = json.loads(run("show_secrets.sh", tmp_path, **server).stdout)
        assert [each["secret"] for each in shown["secrets"]] == [secret]
        rotated = json.loads(run("rotate.sh", tmp_path, **server).stdout)
        assert rotated["secrets"][1]["secret"] == secret
        assert json.loads(run("show_secrets.sh", tmp_path, **server).stdout) == rotated

    def test_receiver_handles_each_event_once_and_refuses_forged_ones(
        self, channel: Channel, person: User, secret: str, tmp_path: Path
    ) -> None:
        port = free_port()
        set_webhook(channel, webhook=Webhook(url=f"http://127.0.0.1:{port}/hook"))
        with running("receive.py", tmp_path, port, LICET_SECRET=secret) as told:
            decide(channel, person)
            assert deliver_due() == 1
            repeat()
            assert deliver_due() == 1
            assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
            rotate_secret(
                workspace_id=channel.workspace_id,
                scope=str(channel.pk),
                overlap=timedelta(),
                now=timezone.now(),
            )
            decide(channel, person)
            deliver_due()
            assert Delivery.objects.filter(last_status=401).count() == 1
        assert told == ["handled: review:responded {'selectedOption': 'approve'}"]

    def test_receiver_that_fails_gets_the_event_again(
        self, channel: Channel, person: User, secret: str, tmp_path: Path
    ) -> None:
        """As its text promises: what was not handled is not remembered as handled."""
        port, flag = free_port(), tmp_path / "fail"
        flag.touch()
        broken = PROGRAMS["receive.py"].replace(
            '    print("handled:"',
            f"    assert not os.path.exists({str(flag)!r})\n" + '    print("handled:"',
        )
        set_webhook(channel, webhook=Webhook(url=f"http://127.0.0.1:{port}/hook"))
        with running("receive.py", tmp_path, port, text=broken, LICET_SECRET=secret) as told:
            decide(channel, person)
            deliver_due()
            assert Delivery.objects.get().state == State.PENDING
            flag.unlink()
            repeat()
            deliver_due()
            assert Delivery.objects.get().state == State.DELIVERED
        assert len(told) == 1

    def test_catch_up_reads_on_where_it_ended(
        self, channel: Channel, person: User, server: dict[str, str], tmp_path: Path
    ) -> None:
        decide(channel, person, 60)  # more than a page
        first = run("catch_up.py", tmp_path, **server)
        assert first.returncode == 0, first.stderr
        assert len(first.stdout.splitlines()) == 60
        assert run("catch_up.py", tmp_path, **server).stdout == ""
        decide(channel, person, 2)
        later = run("catch_up.py", tmp_path, **server).stdout.splitlines()
        assert len(later) == len(set(later) - set(first.stdout.splitlines())) == 2


def decide(channel: Channel, person: User, count: int = 1) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    for _ in range(count):
        answer_review(make_review(channel=channel), answer=answer)


def repeat() -> None:
    """Let Licet believe that it was not told: the same event goes out again."""
    due = timezone.now() - timedelta(seconds=1)
    Delivery.objects.update(state=State.PENDING, next_attempt_at=due, finished_at=None)


def save(request: Received, folder: Path) -> None:
    (folder / "body.bin").write_bytes(request.body)
    lines = [f"{name}: {value}\n" for name, value in request.headers.items()]
    (folder / "headers.txt").write_text("".join(lines))


def command_of(name: str, folder: Path, text: str = "") -> list[str]:
    program = folder / name
    program.write_text(text or PROGRAMS[name])
    return ["sh" if name.endswith(".sh") else sys.executable, str(program)]


def run(name: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command_of(name, folder),
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


@contextmanager
def running(
    name: str, folder: Path, port: int, *, text: str = "", **environment: str
) -> Iterator[list[str]]:
    """A receiver of the guide, once it listens; the list fills with what it prints."""
    process = subprocess.Popen(
        command_of(name, folder, text),
        cwd=folder,
        env=os.environ | {"PORT": str(port)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    told: list[str] = []
    assert process.stdout is not None
    output = process.stdout
    reader = threading.Thread(target=lambda: told.extend(line.rstrip() for line in output))
    reader.start()
    try:
        assert happens_within(20, lambda: listens(port))
        yield told
    finally:
        process.terminate()
        process.wait(timeout=10)
        reader.join(timeout=10)
        output.close()
