"""Looks a name up, once, within a deadline that the platform's resolver does not have."""

import threading
from concurrent.futures import Future

import ssrfguard

from .errors import AttemptFailedError

DNS_SECONDS = 3.0

type Answers = tuple[ssrfguard.Address, ...]


def resolve(target: ssrfguard.Target, policy: ssrfguard.Policy, *, seconds: float) -> Answers:
    """Every address of the target, each accepted by the policy.

    Raises: AttemptFailedError when the time is up, and what the library raises.
    """
    if target.is_literal_address:
        return ssrfguard.resolve(target, policy=policy)
    seconds = min(seconds, DNS_SECONDS)
    found = _ask(target, policy)
    try:
        return found.result(seconds)
    except TimeoutError:
        if found.done():  # the resolver's own error, not ours
            raise
        raise AttemptFailedError(f"the name was not looked up within {seconds:g} s") from None


def _ask(target: ssrfguard.Target, policy: ssrfguard.Policy) -> "Future[Answers]":
    """Look up in a thread of its own. A daemon: a stuck look-up must not keep the process alive."""
    found: Future[Answers] = Future()

    def look_up() -> None:
        try:
            found.set_result(ssrfguard.resolve(target, policy=policy))
        except BaseException as failure:  # noqa: BLE001  # raised where it is waited for
            found.set_exception(failure)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    return found
