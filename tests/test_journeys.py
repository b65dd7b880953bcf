"""The journeys are shared out as their files expect."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.e2e.stack import ROOT

FILE = """
import pytest

@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("stack", ["serve", "separate"])
def test_it(stack, number):
    pass
"""
PLUGINS = ("-p", "xdist", "-p", "tests.journeys")
RAN = re.compile(r"\[(gw\d)\].* PASSED (\w+\.py)::test_it\[(\w+)-\d\]")


def test_one_process_runs_a_whole_file_and_one_all_on_separate_processes(tmp_path: Path) -> None:
    for name in ("test_a.py", "test_b.py", "test_c.py"):
        (tmp_path / name).write_text(FILE)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, "-vv", "-n", "2", "--dist", "loadfile"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    processes = defaultdict(set)
    for process, name, stack in RAN.findall(ran.stdout):
        processes[stack if stack == "separate" else name].add(process)
    assert set(processes) == {"separate", "test_a.py", "test_b.py", "test_c.py"}
    assert all(len(each) == 1 for each in processes.values()), ran.stdout
