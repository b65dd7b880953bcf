"""Where a browser's write comes from: another site's page must not use a person's cookie."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_PAGES = frozenset({"same-origin", "none"})  # none: the person typed it, no page asked


class CrossSiteError(PermissionDenied):
    default_code = "cross_site"
    default_detail = "Another site's page asked for this. Sign in here, and do it from here."


def refuse_cross_site(request: HttpRequest) -> None:
    """Refuse a write that another site's page sends with the cookie of whoever looks at it.

    1. A browser says in `Sec-Fetch-Site` whose page asks; older ones say its `Origin`.
    2. Who says neither is no browser, and sends no cookie that it was not given for this.

    Raises: CrossSiteError.
    """
    if request.method in SAFE_METHODS:
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin in {_own_origin(request), *settings.CSRF_TRUSTED_ORIGINS}:
        return
    own = site in OWN_PAGES if site is not None else origin is None
    if not own:
        raise CrossSiteError


def _own_origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
