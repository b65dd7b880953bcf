"""Files that come and go while the processes that carry them die."""

import re
import subprocess
from collections.abc import Mapping
from functools import partial

import pytest
import requests

from tests.chaos.points import REMOVAL, UPLOAD
from tests.chaos.processes import Process
from tests.chaos.scene import Scene
from tests.chaos.stack import KEYS, PYTHON, ROOT
from tests.polling import happens_within

AGE_AND_SWEEP = """
from datetime import timedelta
from attachments.models import Attachment
from attachments.tasks import tick_sweep
Attachment.objects.update(created_at=timezone.now() - timedelta(hours=25))
tick_sweep()
"""


class Keeper:
    """Stores and deletes files by the API, and runs the operator's commands."""

    def __init__(self, act: Scene, storage: Mapping[str, str]) -> None:
        self.stack = act.stack
        self.channel = act.channel(act.receiver()).id
        self.environment = act.stack.environment | dict(storage)
        self.verdicts: list[str] = []

    def call(self, method: str, path: str, **given: object) -> requests.Response:
        address, headers = f"{self.stack.url}/api/v1/{path}", {"x-api-key": KEYS[0]}
        return requests.request(method, address, headers=headers, timeout=20, **given)  # type: ignore[arg-type]

    def store(self) -> requests.Response:
        form, file = {"channelId": self.channel}, {"file": ("a.csv", b"a,b\n1,2")}
        return self.call("POST", "files/store", data=form, files=file)

    def send_text(self) -> requests.Response:
        text = {"filename": "b.txt", "mimeType": "text/plain", "content": "hello"}
        body = {"channelId": self.channel, "text": "Here", "textAttachments": [text]}
        return self.call("POST", "messages", json=body)

    def send_stored(self) -> str:
        """A message with a file; its id."""
        ids = [self.store().json()["id"]]
        body = {"channelId": self.channel, "text": "Here", "attachmentIds": ids}
        return str(self.call("POST", "messages", json=body).json()["id"])

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            (*PYTHON, "config", *words),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def compared(self) -> dict[str, int]:
        """What `reconcile_files` counts; nothing may be lost or too much, whenever it is asked."""
        done = self.run("reconcile_files", "--delete")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Nothing is lost, and nothing is too much." in done.stdout
        self.verdicts.append(done.stdout)
        lines = re.findall(r"^ *([\d,]+)  (\S+ \S+ \S+)", done.stdout, re.MULTILINE)
        return {words: int(number) for number, words in lines}


def kill_at_every_file_point(act: Scene, storage: Mapping[str, str]) -> None:
    """Nothing is lost and nothing is too much, whenever one looks.

    1. The web process dies after it wrote an object and before the row was ready; twice, for
       there are two ways in.
    2. A file's message is deleted. The worker dies before the object goes, and the next one
       between the object and the row that remembers it.
    3. A day later, what broke off is swept, and no object is left.
    """
    stack, keeper = act.stack, Keeper(act, storage)
    stack.web.plan.extend([f"{point}:kill@1" for point in UPLOAD * 2])
    stack.worker.plan.extend([f"{point}:kill@1" for point in REMOVAL])
    for process in (stack.web, stack.worker):
        process.restart(**storage)
    for number, upload in enumerate((keeper.store, keeper.send_text), 1):
        stack.wait_for_web()
        with pytest.raises(requests.ConnectionError):
            upload()
        assert happens_within(10, partial(has_died, stack.web, number))
        assert keeper.compared()["files that are"] == number
    stack.wait_for_web()
    message = keeper.send_stored()
    assert keeper.compared()["files, each with"] == 1
    assert keeper.call("DELETE", f"messages/{message}").status_code == 200
    for number in range(1, len(REMOVAL) + 1):
        assert happens_within(40, partial(has_died, stack.worker, number))
        keeper.compared()
    swept = keeper.run("shell", "-c", AGE_AND_SWEEP)
    assert swept.returncode == 0, swept.stderr
    assert happens_within(40, lambda: not any(keeper.compared().values()))
    act.end(note=f"{len(stack.web.struck)} uploads and 2 removals killed, {looks(keeper)}")


def has_died(process: Process, times: int) -> bool:
    return len(process.struck) >= times


def looks(keeper: Keeper) -> str:
    return f"{len(keeper.verdicts)} comparisons: nothing lost, nothing too much"
