"""What a serving process does last before its first request."""

import gc


def keep_loaded() -> None:
    """Leave what is loaded now out of every garbage collection: it stays until the end.

    A full collection that looks at all of Django stops each thread of the process for 100 ms, in
    the midst of somebody's request. One that does not takes a millisecond.
    """
    gc.collect()
    gc.freeze()
