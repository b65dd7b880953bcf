"""What is loaded when a process begins to serve is not collected again and again."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc
import {module}
frozen, collected = gc.get_freeze_count(), len(gc.get_objects())
print(frozen > 20 * collected)
"""


@pytest.mark.parametrize("module", ["config.wsgi", "config.asgi"])
def test_process_that_serves_keeps_what_it_loaded(module: str) -> None:
    program = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
