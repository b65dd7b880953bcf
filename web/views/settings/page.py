"""The frame of the settings: the sections on the left, one of them on the right."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from web.access import MemberRequest


@dataclass(frozen=True)
class Part:
    """One section of the settings."""

    name: str
    label: str | Promise
    about: str | Promise
    icon: str

    @property
    def view(self) -> str:
        return f"web:settings-{self.name}"


PARTS = (
    Part("profile", gettext_lazy("Profile"), gettext_lazy("Name, language, password"), "user"),
    Part("sessions", gettext_lazy("Sessions"), gettext_lazy("Where you are signed in"), "device"),
    Part("appearance", gettext_lazy("Appearance"), gettext_lazy("Theme and lists"), "theme"),
    Part("shortcuts", gettext_lazy("Keys and writing"), gettext_lazy("Your own keys"), "keyboard"),
    Part("notifications", gettext_lazy("Notifications"), gettext_lazy("On your devices"), "bell"),
    Part("keys", gettext_lazy("API keys"), gettext_lazy("What agents carry"), "key"),
    Part("plugins", gettext_lazy("Plugins"), gettext_lazy("Cards of your own making"), "box"),
    Part("people", gettext_lazy("People"), gettext_lazy("Members and invitations"), "people"),
    Part("workspace", gettext_lazy("Workspace"), gettext_lazy("Its name, and switching"), "gear"),
)


def posted_in(request: MemberRequest) -> QueryDict | None:
    """What a form was filled in with; nothing for a page that is only looked at."""
    return request.POST if request.method == "POST" else None


def settings_page(
    request: MemberRequest,
    part: str,
    *,
    template: str = "",
    status: int = 200,
    showing_detail: bool = True,
    **context: Any,
) -> HttpResponse:
    """Render `settings/<part>.html`, or another template of the same section."""
    frame = {
        "section": "settings",
        "parts": PARTS,
        "part": next(each for each in PARTS if each.name == part),
        "showing_detail": showing_detail,
    }
    name = f"settings/{template or part}.html"
    return render(request, name, frame | context, status=status)
