"""What a first start creates: an owner, a workspace, a channel and an API key."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services import create_owner, is_well_formed, issue_key
from delivery.keys import ensure_secret
from inbox.models import Channel
from inbox.services.channels import create_channel

DEFAULT_EMAIL = "owner@example.org"


class BadBootstrapError(Exception):
    """A value given for the first start cannot be used."""


@dataclass(frozen=True)
class FirstStart:
    """What was created, secrets in clear: shown once, stored nowhere."""

    email: str
    password: str
    api_key: str
    channel: Channel
    signing_secret: str


@transaction.atomic
def create_first_workspace(
    *, email: str, password: str, api_key: str, now: datetime
) -> FirstStart | None:
    """Create them, with generated values where none is given. None if anybody exists already.

    Raises: BadBootstrapError.
    """
    if User.objects.exists():
        return None
    if api_key and not is_well_formed(api_key):
        raise BadBootstrapError("BOOTSTRAP_API_KEY must be `hp_` and 48 hex digits, or a Licet key")
    email = (email or DEFAULT_EMAIL).lower()
    password = password or secrets.token_urlsafe(12)
    owner = create_owner(email=email, password=password, workspace_name="Home")
    channel = create_channel(workspace=owner.workspace, name="First agent", now=now)
    issued = issue_key(
        workspace=owner.workspace, created_by=owner.user, label="First key", clear=api_key or None
    )
    secret = ensure_secret(workspace_id=owner.workspace_id, scope=str(channel.pk))
    return FirstStart(email, password, issued.clear, channel, str(secret.secret))
