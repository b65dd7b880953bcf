"""A real S3 server on loopback: Ceph's gateway with one monitor and one store in memory.

Debian and Ubuntu have it in the packages ceph-mon, ceph-osd and radosgw. `python -m tests.ceph`
starts one, prints what a `.env` needs for it, and ends it with Ctrl-C.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Self

import boto3
import requests
from botocore.exceptions import ClientError

from tests.polling import happens_within
from tests.postgres import free_port

PROGRAMS = (
    "ceph",
    "ceph-authtool",
    "ceph-mon",
    "ceph-osd",
    "monmaptool",
    "radosgw",
    "radosgw-admin",
)
PACKAGES = "ceph-mon ceph-osd radosgw"
BUCKET = "files"
REGION = "us-east-1"
STORE_BYTES = 3 * 1024**3
START_SECONDS = 60
# With authentication `none` the gateway hangs without a word.
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = {monitors}
public addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/$name.keyring
log file = {folder}/$name.log
admin socket = {folder}/$name.asok
run dir = {folder}
crash dir = {folder}
mon data = {folder}/mon
mon allow pool size one = true
mon max pg per osd = 1000
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {size}
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd class load list = *
osd class default list = *

[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
rgw thread pool size = 32
rgw run sync thread = false
"""


def missing() -> str:
    """What has to be installed first; empty if nothing."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"{', '.join(absent)} not found; Debian, Ubuntu: {PACKAGES}" if absent else ""


class Ceph:
    """Use as a context manager: it starts, makes a bucket, and ends what it started."""

    def __enter__(self) -> Self:
        started = time.monotonic()
        self.folder = Path(tempfile.mkdtemp(prefix="licet-ceph-", dir="/tmp"))  # sockets: short
        self.port = free_port()
        self.key, self.secret = secrets.token_hex(10), secrets.token_hex(20)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._problem = ""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        self.seconds = time.monotonic() - started
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the product needs to store files here."""
        return {
            "S3_ENDPOINT_URL": self.url,
            "S3_BUCKET": BUCKET,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY_ID": self.key,
            "S3_SECRET_ACCESS_KEY": self.secret,
        }

    def _start(self) -> None:
        self._configure()
        monitors = self._start_monitor()
        self._start_store()
        self._launch("radosgw", "-n", "client.rgw", "-f")
        answers = happens_within(START_SECONDS, lambda: requests.get(self.url, timeout=5).ok)
        assert answers, f"the gateway does not answer; its logs are in {self.folder} ({monitors})"
        self._run(
            *("radosgw-admin", "-n", "client.admin", "user", "create", "--uid", "licet"),
            *("--display-name", "Licet", "--access-key", self.key, "--secret-key", self.secret),
        )
        assert happens_within(START_SECONDS, self._has_bucket), self._problem

    def _has_bucket(self) -> bool:
        """Make the bucket. The gateway answers before its pools are there, and then with a 500."""
        try:
            self.client().create_bucket(Bucket=BUCKET)
        except ClientError as error:
            self._problem = f"no bucket can be made: {error}"
            return False
        return True

    def _configure(self) -> None:
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        self.fsid = str(uuid.uuid4())
        self.monitors = f"[v2:127.0.0.1:{free_port()}/0,v1:127.0.0.1:{free_port()}/0]"
        text = CONFIGURATION.format(
            fsid=self.fsid,
            monitors=self.monitors,
            folder=self.folder,
            port=self.port,
            size=STORE_BYTES,
        )
        (self.folder / "ceph.conf").write_text(text)

    def _start_monitor(self) -> str:
        everybody = self.folder / "everybody.keyring"
        self._make_key(everybody, "mon.", "mon")
        for name in ("client.admin", "client.rgw", "osd.0"):
            own = self.folder / f"{name}.keyring"
            self._make_key(own, name, "mon", "osd")
            self._run("ceph-authtool", str(everybody), "--import-keyring", str(own))
        map_of_monitors = str(self.folder / "monmap")
        self._run(
            *("monmaptool", "--create", "--fsid", self.fsid),
            *("--addv", "a", self.monitors.replace("/0", ""), map_of_monitors),
        )
        self._run(
            *("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_of_monitors),
            *("--keyring", str(everybody)),
        )
        self._launch("ceph-mon", "-i", "a", "-f")
        return self.monitors

    def _make_key(self, keyring: Path, name: str, *parts: str) -> None:
        capabilities = [word for part in parts for word in ("--cap", part, "allow *")]
        make = ("ceph-authtool", "--create-keyring", str(keyring), "--gen-key", "-n", name)
        self._run(*make, *capabilities)

    def _start_store(self) -> None:
        number = str(uuid.uuid4())
        self._run("ceph", "--connect-timeout", "20", "osd", "new", number, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", number)
        self._launch("ceph-osd", "-i", "0", "-f")

    def _command(self, *words: str) -> list[str]:
        plain = words[0] in {"ceph-authtool", "monmaptool"}
        settings = [] if plain else ["-c", str(self.folder / "ceph.conf")]
        return [words[0], *settings, *words[1:]]

    def _run(self, *words: str) -> None:
        done = subprocess.run(self._command(*words), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"

    def _launch(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.out").open("wb") as output:
            process = subprocess.Popen(
                self._command(*words), stdout=output, stderr=output, start_new_session=True
            )
        self._processes.append(process)

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )

    def stop(self) -> None:
        """Its store is memory: nothing is worth an orderly end."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> int:
    if reason := missing():
        sys.stderr.write(f"{reason}\n")
        return 2
    with Ceph() as ceph:
        sys.stdout.write("".join(f"{name}={value}\n" for name, value in ceph.environment.items()))
        sys.stdout.write(f"# started in {ceph.seconds:.1f} s, process {os.getpid()}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
