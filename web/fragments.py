"""One view for the whole page and for the part of it that htmx asks for.

htmx says in `HX-Target` what it is about to replace, as `tag#id`. A view names the ids it can
serve alone; every other request, and going back in history, gets the page.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

CARD = "card-area"


def wanted_fragment(request: HttpRequest) -> str:
    """The id of the element that htmx wants; empty for a whole page."""
    if request.headers.get("HX-Request") != "true":
        return ""
    if request.headers.get("HX-History-Restore-Request") == "true":
        return ""
    return request.headers.get("HX-Target", "").partition("#")[2]


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    parts: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or the one of its `parts` (element id: partial) that htmx wants.

    A fragment carries the page's title and what has to be said (see `ui/beside.html`) with it.
    """
    part = parts.get(wanted_fragment(request))
    if part is None:
        response = render(request, template, context, status=status)
    else:
        response = HttpResponse(_fragment(request, template, part, dict(context)), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _fragment(request: HttpRequest, template: str, part: str, context: dict[str, Any]) -> str:
    title = render_to_string(f"{template}#title", context, request)
    body = render_to_string(f"{template}#{part}", context, request)
    return f"<title>{title}</title>{body}" + render_to_string("ui/beside.html", context, request)


def show_part(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """A part that is only ever fetched: it needs no title.

    Blanks around it would pile up beside what is replaced again and again.
    """
    text = render_to_string(template, dict(context), request).strip()
    response = HttpResponse(text, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def show_card(request: HttpRequest, context: Mapping[str, Any], *, status: int) -> HttpResponse:
    """Only the card of an open review, in place, whatever the request was about to replace."""
    text = render_to_string("reviews/card.html", dict(context), request)
    response = HttpResponse(text + render_to_string("ui/beside.html", dict(context), request))
    response.status_code = status
    if wanted_fragment(request) != CARD:
        response["HX-Retarget"], response["HX-Reswap"] = f"#{CARD}", "outerMorph"
        response["HX-Push-Url"] = "false"
    return response
