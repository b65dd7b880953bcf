"""Print the secret that a receiver checks a channel's webhook signatures with."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.ids import parse_uuid
from delivery.keys import ensure_secret
from inbox.models import Channel


class Command(BaseCommand):
    """`licet show_signing_secret CHANNEL`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("channel", help="id of the channel, as GET /api/v1/agents shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = parse_uuid(options["channel"])
        channel = Channel.objects.filter(pk=wanted).first() if wanted else None
        if channel is None:
            raise CommandError(f"There is no channel {options['channel']}.")
        secret = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
        self.stdout.write(str(secret.secret))
