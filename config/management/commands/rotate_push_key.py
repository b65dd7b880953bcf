"""Make a new key for notifications; devices keep the one before until they subscribe again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from delivery.push.keys import rotate_key


class Command(BaseCommand):
    """`licet rotate_push_key`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--forget-devices",
            action="store_true",
            help="if somebody else has seen the old key: nothing is sent with it any more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(rotate_key(forget_devices=options["forget_devices"]).public_key)
