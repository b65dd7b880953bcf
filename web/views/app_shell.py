"""What makes an application of the pages: manifest, service worker, and the page without a network.

None of it says anything about a person or a workspace, so none of it asks who is there.
"""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

# The canvas of static/app.css, which a manifest can give in one theme only.
CANVAS = "#f3f3f1"
ICON = "img/icon-192.png"


@require_safe
@cache_control(public=True, max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    inbox = reverse("web:inbox")
    body = {
        "id": "/",
        "name": settings.APP_NAME,
        "short_name": settings.APP_NAME,
        "description": _("What your agents ask you, and your answers."),
        "lang": get_language() or settings.LANGUAGE_CODE,
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": inbox,
        "scope": "/",
        "display": "standalone",
        "theme_color": CANVAS,
        "background_color": CANVAS,
        "icons": [
            _picture(ICON, 192, "any"),
            _picture("img/icon-512.png", 512, "any"),
            _picture("img/icon-maskable-512.png", 512, "maskable"),
        ],
        "shortcuts": [
            {"name": _("Inbox"), "url": inbox, "icons": [_picture(ICON, 192, "any")]},
            {
                "name": _("Channels"),
                "url": reverse("web:channels"),
                "icons": [_picture(ICON, 192, "any")],
            },
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")


def _picture(name: str, size: int, purpose: str) -> dict[str, str]:
    source = static(name)
    return {"src": source, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script, with what it keeps. Its bytes change with that, so a release replaces it."""
    kept = [reverse("web:offline"), static("app.css"), static("img/favicon.svg"), static(ICON)]
    facts: dict[str, Any] = {
        "name": settings.APP_NAME,
        "inbox": reverse("web:inbox"),
        "icon": static(ICON),
        "badge": static("img/badge.png"),
        "kept": kept,
        "statics": settings.STATIC_URL,
    }
    content = json.dumps([settings.VERSION, facts, render_to_string("pwa/offline.html")])
    facts["cache"] = f"shell-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    script = render(request, "pwa/sw.js", {"facts": json.dumps(facts)}, "text/javascript")
    script["Service-Worker-Allowed"] = "/"
    return script


@require_safe
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "pwa/offline.html")
