"""What was written elsewhere: on which platform, and by whom there."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.models import Channel, Message, Sender, Thread

SHORT = 24
BEGINNING = 8

# Brands keep their names in every language. What is not here is called as its bridge calls it.
PLATFORMS: Mapping[str, tuple[str, str | Promise]] = {
    "discord": ("chats", "Discord"),
    "telegram": ("send", "Telegram"),
    "twitter": ("at", "Twitter"),
    "eliza_gui": ("globe", gettext_lazy("Web")),
    "web": ("globe", gettext_lazy("Web")),
    "conversation": ("chat", gettext_lazy("Conversation")),
    "licet": ("chat", "Licet"),
}
OURS = {"licet", "conversation"}  # threads that no bridge carries anywhere


@dataclass(frozen=True)
class Platform:
    icon: str
    name: str


@dataclass(frozen=True)
class ThreadName:
    """A thread as pages call it: its title, else its room, on its platform."""

    thread: Thread
    name: str
    platform: Platform

    @property
    def is_carried(self) -> bool:
        """Whether its words are meant for another platform."""
        return self.thread.source not in OURS


def platform_of(source: str) -> Platform:
    icon, name = PLATFORMS.get(source.lower(), ("globe", source))
    return Platform(icon, str(name))


def thread_name(thread: Thread) -> ThreadName:
    name = thread.title or shortened(thread.foreign_id or "") or _("Untitled")
    return ThreadName(thread, name, platform_of(thread.source))


def is_foreign(message: Message) -> bool:
    """Whether somebody wrote it who is none of our people, whatever they call themselves."""
    return message.sender == Sender.USER and message.source != ""


def foreign_name(name: str, identity: str) -> str:
    """What an author elsewhere is called: the name given, else a part of the id."""
    return name.strip() or shortened(identity) or _("Somebody")


def writer_of(message: Message, channel: Channel) -> str:
    """Whose words they are, in a line without icons. A name from elsewhere says from where."""
    if message.sender == Sender.SYSTEM:
        return _("Note")
    if message.sender == Sender.AGENT:
        return channel.name
    if is_foreign(message):
        name = foreign_name(message.source_author_name, message.source_author)
        return f"{name} · {platform_of(message.source).name}"
    return message.author.name if message.author else _("Somebody")


def shortened(identity: str) -> str:
    """An id is told by its beginning."""
    return identity if len(identity) <= SHORT else f"{identity[:BEGINNING]}…"
