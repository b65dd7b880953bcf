"""What one conversion may use. The kernel sees to it, whatever a library does."""

import contextlib
import resource
import signal

MEMORY = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 20
WALL_SECONDS = 30
LARGEST_OUTPUT = 16 * 1024 * 1024
OPEN_FILES = 64
LARGEST_INPUT = 64 * 1024 * 1024
# The most that 4096 x 4096 pixels can be, as they are.
LARGEST_EDIT = 66 * 1024 * 1024

LIMITS = {
    resource.RLIMIT_AS: MEMORY,
    resource.RLIMIT_CPU: PROCESSOR_SECONDS,
    resource.RLIMIT_NOFILE: OPEN_FILES,
    resource.RLIMIT_CORE: 0,
}


def bound_this_process(largest_output: int = LARGEST_OUTPUT) -> None:
    """Set every limit. The alarm ends the process even if nobody waits for it any more."""
    for limit, most in {**LIMITS, resource.RLIMIT_FSIZE: largest_output}.items():
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(limit, (most, most))
    signal.alarm(WALL_SECONDS)
