"""What Celery may ask of the pages' side."""

from celery import shared_task
from django.utils import timezone

from delivery.push.sending import running_sender
from web.notifying import tell_devices


@shared_task(name="web.tick_notify")
def tick_notify(**_: object) -> None:
    """Tell people's devices what is new and what is over, and send what waits."""
    tell_devices(now=timezone.now())
    running_sender().wake()
