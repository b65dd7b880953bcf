"""Plugins that are installed (Placet contract 2.7)."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import array_of, operation
from api.placet.serializers.plugins import PluginOut
from api.placet.views.base import AgentView
from reviews.plugins import find_plugin, installed_plugins


class Plugins(AgentView):
    @operation("listPlugins", tag="Plugins", answers={200: array_of(PluginOut)})
    def get(self, request: Request) -> Response:
        """The manifests of all installed plugins."""
        return Response([plugin.public_manifest for plugin in installed_plugins().values()])


class OnePlugin(AgentView):
    @operation("getPlugin", tag="Plugins", answers={200: PluginOut}, errors=[404])
    def get(self, request: Request, name: str) -> Response:
        """One manifest."""
        return Response(find_plugin(name).public_manifest)
