"""Short statements for the realtime process: few threads and connections serve any number."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections

pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="look")


async def in_thread[**P, R](function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that asks the database, without holding up the event loop."""

    def run() -> R:
        close_old_connections()
        return function(*args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(pool, run)
