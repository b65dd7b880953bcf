"""What the search and the command palette find: actions, channels, reviews, messages and files.

One statement for each kind of thing, each of one workspace, and at most SHOWN rows of each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Workspace
from attachments.models import Attachment
from attachments.queries import files_in
from inbox.models import Channel, Message, Sender
from inbox.queries import channels_of, messages_in
from reviews.models import ReviewRequest
from reviews.queries import reviews_of
from web.looks import look_of, state_look
from web.matching import contains, mentions
from web.origins import is_foreign, writer_of
from web.shortcuts import BY_NAME
from web.text.titles import title_in, title_of

SHOWN = 6
LONGEST = 200
AROUND = 60


@dataclass(frozen=True)
class Hit:
    """One thing that was found, and where it leads. `posts` leads there with a form."""

    label: str
    href: str
    icon: str
    about: str = ""
    at: datetime | None = None
    shortcut: str = ""
    posts: bool = False


@dataclass(frozen=True)
class Group:
    name: str
    label: str
    hits: Sequence[Hit]


@dataclass(frozen=True)
class Action:
    """A page that is gone to, or something that is done there."""

    view: str
    icon: str
    shortcut: str = ""
    label: str | Promise = ""
    posts: bool = False

    @property
    def words(self) -> str:
        return str(self.label or BY_NAME[self.shortcut].label)


ACTIONS = (
    Action("web:inbox", "inbox", "go-inbox"),
    Action("web:channels", "chat", "go-channels"),
    Action("web:files", "folder", "go-files"),
    Action("web:activity", "pulse", "go-activity"),
    Action("web:settings", "sliders", "go-settings"),
    Action("web:shortcuts", "keyboard", "shortcuts"),
    Action("web:settings-shortcuts", "keyboard", label=gettext_lazy("Change keys")),
    Action("web:sign-out", "exit", label=gettext_lazy("Sign out"), posts=True),
)


def read_query(given: str) -> str:
    """What was typed, within bounds; a NUL is no text for PostgreSQL."""
    return given.replace("\0", "").strip()[:LONGEST].strip()


def find(workspace: Workspace, text: str) -> list[Group]:
    """Groups that have something; without a text the actions and the latest channels."""
    if not text:
        recent = [_channel_hit(channel) for channel in _recent_channels(workspace)]
        groups = [_actions(""), Group("channels", _("Recent channels"), recent)]
    else:
        groups = [_actions(text), *_things(workspace, text)]
    return [group for group in groups if group.hits]


def _things(workspace: Workspace, text: str) -> Iterator[Group]:
    channels = channels_of(workspace).filter(contains("name", text))[:SHOWN]
    yield Group("channels", _("Channels"), [_channel_hit(each) for each in channels])
    reviews = reviews_of(workspace).filter(mentions(text))[:SHOWN]
    yield Group("reviews", _("Reviews"), [_review_hit(each) for each in reviews])
    said = messages_in(workspace, None).filter(contains("text", text), review=None)
    messages = said.select_related("channel")[:SHOWN]
    yield Group("messages", _("Messages"), [_message_hit(each, text) for each in messages])
    named = files_in(workspace, None).filter(contains("filename", text), message__isnull=False)
    files = named.select_related("channel")[:SHOWN]
    yield Group("files", _("Files"), [_file_hit(each) for each in files])


def _actions(text: str) -> Group:
    wanted = text.casefold()
    matching = [action for action in ACTIONS if wanted in action.words.casefold()]
    return Group("actions", _("Actions"), [hit for each in matching for hit in _action_hits(each)])


def _action_hits(action: Action) -> Iterator[Hit]:
    """None for a page that this installation does not have."""
    try:
        href = reverse(action.view)
    except NoReverseMatch:
        return
    yield Hit(action.words, href, action.icon, shortcut=action.shortcut, posts=action.posts)


def _recent_channels(workspace: Workspace) -> QuerySet[Channel]:
    last = Message.objects.filter(channel=OuterRef("pk")).order_by("-id").values("id")[:1]
    return channels_of(workspace).order_by(Coalesce(Subquery(last), "id").desc())[:SHOWN]


def _channel_hit(channel: Channel) -> Hit:
    href = reverse("web:channel", args=[channel.pk])
    return Hit(channel.name, href, "chat", about=channel.get_status_display())


def _review_hit(review: ReviewRequest) -> Hit:
    return Hit(
        title_of(review),
        reverse("web:review", args=[review.pk]),
        look_of(review).icon,
        about=f"{review.channel.name} · {state_look(review).label}",
        at=review.created_at,
    )


def _message_hit(message: Message, text: str) -> Hit:
    return Hit(
        excerpt(message.text or "", text),
        _in_conversation(message.channel, str(message.pk)),
        "chat",
        about=_about(message),
        at=message.created_at,
    )


def _about(message: Message) -> str:
    """The channel; and who wrote it there, where that is not the agent or one of our people."""
    channel = message.channel
    if is_foreign(message) or message.sender == Sender.SYSTEM:
        return f"{channel.name} · {writer_of(message, channel)}"
    return channel.name


def _file_hit(file: Attachment) -> Hit:
    href = _in_conversation(file.channel, str(file.message_id))
    return Hit(file.filename, href, "file", about=file.channel.name, at=file.created_at)


def _in_conversation(channel: Channel, message_id: str) -> str:
    return f"{reverse('web:channel', args=[channel.pk])}?m={message_id}#m-{message_id}"


def excerpt(text: str, wanted: str) -> str:
    """The title of a message if it has the wanted words, else the words around them."""
    title = title_in(text)
    start = text.casefold().find(wanted.casefold())
    if start < 0 or wanted.casefold() in title.casefold():
        return title
    begin, end = max(start - AROUND, 0), start + len(wanted) + AROUND
    shown = " ".join(text[begin:end].split())
    return f"{'…' if begin else ''}{shown}{'…' if end < len(text) else ''}"
