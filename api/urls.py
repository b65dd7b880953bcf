"""Everything below /api/."""

from django.urls import include, path, re_path
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from api.placet.views.base import UnknownRoute

# Swagger UI builds inline styles and data: images; its scripts are files like any other.
DOCS_POLICY: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}

urlpatterns = [
    path("v1/", include("api.placet.urls")),
    path("messaging/", include("api.eliza.urls")),
    path("", include("api.people.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs",
        csp_override(DOCS_POLICY)(SpectacularSwaggerSplitView.as_view(url_name="schema")),
        name="docs",
    ),
    re_path(r"^", UnknownRoute.as_view(), name="unknown-route"),
]
