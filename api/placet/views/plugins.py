"""Plugins that are installed (Placet contract 2.7)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import ERRORS, array_of
from api.placet.serializers.plugins import PluginOut
from api.placet.views.base import AgentView
from reviews.plugins import find_plugin, installed_plugins


class Plugins(AgentView):
    @extend_schema(
        operation_id="listPlugins",
        tags=["Plugins"],
        responses={200: array_of(PluginOut), **ERRORS[401, 429]},
    )
    def get(self, request: Request) -> Response:
        """The manifests of all installed plugins."""
        return Response(list(installed_plugins().values()))


class OnePlugin(AgentView):
    @extend_schema(
        operation_id="getPlugin",
        tags=["Plugins"],
        responses={200: PluginOut, **ERRORS[401, 404, 429]},
    )
    def get(self, request: Request, name: str) -> Response:
        """One manifest."""
        return Response(find_plugin(name))
