"""How each kind of file looks: an icon from the sprite, and a word."""

from django.utils.translation import gettext_lazy

from attachments.kinds import Kind, kind_of
from attachments.models import Attachment
from web.looks import Look

LOOKS = {
    Kind.IMAGE: ("image", gettext_lazy("Picture")),
    Kind.SVG: ("image", gettext_lazy("Drawing")),
    Kind.AUDIO: ("play", gettext_lazy("Sound")),
    Kind.VIDEO: ("play", gettext_lazy("Video")),
    Kind.PDF: ("file", gettext_lazy("PDF")),
    Kind.TABLE: ("table", gettext_lazy("Table")),
    Kind.DOCUMENT: ("file", gettext_lazy("Document")),
    Kind.HTML: ("braces", gettext_lazy("Web page")),
    Kind.MARKDOWN: ("type", gettext_lazy("Text")),
    Kind.TEXT: ("braces", gettext_lazy("Text")),
    Kind.OTHER: ("clip", gettext_lazy("File")),
}


def look_of_file(file: Attachment) -> Look:
    icon, label = LOOKS[kind_of(file.filename, file.mime_type)]
    return Look(icon, str(label))
