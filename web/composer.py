"""Where a person writes to an agent: what it shows, and how it becomes a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from attachments.quota import QuotaExceededError
from attachments.services import claim_attachments
from attachments.storage import StorageUnavailableError
from inbox.models import Channel, Message, Sender, Thread
from inbox.queries import ChannelNotYoursError, MessageNotFoundError, messages_in
from inbox.services.messages import Draft, post_message
from web.access import MemberRequest
from web.commands import Command, commands_of
from web.conversation import Conversation, Quote, quote_of
from web.files.uploads import (
    is_too_long,
    limits,
    received_files,
    refusal_of,
    store_received,
    too_large,
)
from web.forms import MessageForm
from web.origins import ThreadName, thread_name


@dataclass(frozen=True)
class Composer:
    """What is typed so far, what it answers, and what is wrong with it."""

    channel: Channel
    thread: Thread | None = None
    form: MessageForm = field(default_factory=MessageForm)
    quote: Quote | None = None
    files_error: str = ""
    limits: Any = field(default_factory=limits)

    @property
    def commands(self) -> Sequence[Command]:
        return commands_of(self.channel)

    @property
    def carried_to(self) -> ThreadName | None:
        """The room of another platform where the words go: a reply stays in its thread."""
        thread = self.quote.message.thread if self.quote else self.thread
        called = thread_name(thread) if thread else None
        return called if called and called.is_carried else None


def composer_for(request: MemberRequest, conversation: Conversation) -> Composer:
    """An empty one, or one that answers the message that `?reply=` names.

    Raises: MessageNotFoundError.
    """
    reply = request.GET.get("reply", "")
    target = conversation.find(reply) if reply else None
    return _composer(conversation, target)


def _composer(conversation: Conversation, target: Message | None, **shown: Any) -> Composer:
    channel = conversation.channel
    quote = quote_of(target, channel) if target else None
    return Composer(channel, conversation.thread, quote=quote, **shown)


class RefusedError(Exception):
    """A message that cannot be sent as it is: the HTTP status, and the composer that says why."""

    def __init__(self, status: int, composer: Composer) -> None:
        super().__init__(status)
        self.status, self.composer = status, composer


def send(request: MemberRequest, conversation: Conversation) -> Message:
    """Post what a person wrote, once for each rendering of the form.

    Raises: RefusedError.
    """
    if is_too_long(request):
        raise RefusedError(413, _composer(conversation, None, files_error=too_large()))
    form = MessageForm(request.POST, has_files=bool(received_files(request)))
    valid, refusal = form.is_valid(), refusal_of(request)
    target, missing = _target(conversation, form)
    shown = _composer(conversation, target, form=form, files_error=refusal)
    if refusal:
        raise RefusedError(413, shown)
    if missing:
        form.add_error("reply_to", _("The message you answer is gone. Send it anyway?"))
    if not valid or missing:
        raise RefusedError(422, shown)
    try:
        return _post(request, conversation, form.cleaned_data, target)
    except StorageUnavailableError:
        trouble = _("The files could not be stored. Try again.")
        raise RefusedError(503, replace(shown, files_error=trouble)) from None
    except QuotaExceededError:
        trouble = _("There is no room for these files in the workspace. Delete some first.")
        raise RefusedError(413, replace(shown, files_error=trouble)) from None
    except ChannelNotYoursError as gone:
        raise Http404(gone.message) from gone


def _target(conversation: Conversation, form: MessageForm) -> tuple[Message | None, bool]:
    """The message that is answered, and whether it is gone."""
    wanted = form.cleaned_data.get("reply_to")
    if "reply_to" in form.errors:
        return None, True
    if wanted is None:
        return None, False
    try:
        return conversation.find(str(wanted)), False
    except MessageNotFoundError:
        return None, True


def _post(
    request: MemberRequest,
    conversation: Conversation,
    written: dict[str, Any],
    target: Message | None,
) -> Message:
    """Raises: StorageUnavailableError, QuotaExceededError, ChannelNotYoursError."""
    channel = conversation.channel
    now, text = timezone.now(), written["text"] or None
    client_id = written["client_id"] or None
    earlier = _sent_before(channel, client_id)
    if earlier is not None and earlier.text == text:
        return earlier
    if earlier is not None:
        client_id = None  # called off, but it had arrived; then edited: other words are not lost
    files = received_files(request)
    stored = store_received(files, channel=channel, user=request.user, now=now)
    claim = partial(claim_attachments, ids=[str(file.pk) for file in stored], key=None)
    draft = Draft(
        text=text,
        client_id=client_id,
        thread=conversation.thread,
        reply_to=target,
        # Placet's wire has no field for it; agents read metadata.
        metadata={"replyTo": str(target.pk)} if target else None,
        carrying=[claim] if stored else [],
    )
    posted = post_message(
        channel=channel, sender=Sender.USER, author=request.user, draft=draft, now=now
    )
    return posted.message


def _sent_before(channel: Channel, client_id: str | None) -> Message | None:
    """A repeat stores no file again; two at the same time are told apart by `post_message`."""
    if client_id is None:
        return None
    sent = messages_in(channel.workspace, channel)
    return sent.filter(sender=Sender.USER, client_id=client_id).first()
