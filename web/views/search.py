"""Search, which the command palette shows as one types, and the sheet of all keys."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from web.access import MemberRequest, for_members
from web.fragments import wanted_fragment
from web.search import LONGEST, find, read_query
from web.sheet import sections_for

# What is about to be replaced, and what goes there.
RESULTS = {"results": "search/page.html#results", "palette-results": "search/options.html"}


@require_safe
@for_members
def search(request: MemberRequest) -> HttpResponse:
    text = read_query(request.GET.get("q", ""))
    groups = find(request.workspace, text)
    context = {
        "text": text,
        "longest": LONGEST,
        "groups": groups,
        "total": sum(len(group.hits) for group in groups),
        "section": "search",
    }
    return _part_or_page(request, "search/page.html", context, RESULTS)


@require_safe
@for_members
def shortcuts(request: MemberRequest) -> HttpResponse:
    """All keys, on a page of their own or in a dialog."""
    context = {"sections": sections_for(request.user), "section": "shortcuts"}
    return _part_or_page(
        request, "search/shortcuts.html", context, {"sheet-keys": "search/shortcuts.html#keys"}
    )


def _part_or_page(
    request: MemberRequest, page: str, context: dict[str, Any], parts: Mapping[str, str]
) -> HttpResponse:
    """Parts for a dialog leave the page's title as it is."""
    response = render(request, parts.get(wanted_fragment(request), page), context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
