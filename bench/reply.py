"""Answers messages named on standard input as their agent: `python -m bench.reply A_SECOND`.

Prints when each reply was committed, as JSON: message id to CLOCK_MONOTONIC in nanoseconds.
"""

import json
import sys
import time
import uuid
from functools import partial


def main() -> None:
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from inbox.models import Message, Sender
    from inbox.services.messages import Draft, post_message

    ids, a_second = sys.stdin.read().split(), int(sys.argv[1])
    rows = Message.objects.select_related("channel")
    asked = [rows.get(pk=uuid.UUID(message_id)) for message_id in ids]
    committed: dict[str, int] = {}
    started = time.monotonic()
    for number, message in enumerate(asked):
        time.sleep(max(0.0, started + number / a_second - time.monotonic()))
        draft = Draft(text="Shipped", reply_to=message)
        with transaction.atomic():
            # Before the hooks that publish: the notice must not be out before the time is taken.
            transaction.on_commit(partial(note, committed, str(message.pk)))
            post_message(
                channel=message.channel, sender=Sender.AGENT, draft=draft, now=timezone.now()
            )
    print(json.dumps(committed))


def note(committed: dict[str, int], message_id: str) -> None:
    committed[message_id] = time.monotonic_ns()


if __name__ == "__main__":
    main()
