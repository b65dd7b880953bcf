"""Plugins of a workspace (Placet contract 3.6). Every route asks who is there."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.people.documentation import WORKSPACE, operation
from api.people.serializers.plugins import (
    PluginConfigIn,
    PluginConfigOut,
    PluginFetchIn,
    PluginFetchOut,
    PluginSetupOut,
    RenderOut,
)
from api.people.views.base import PersonView, managing, membership_of, workspace_of
from api.placet.documentation import array_of
from api.placet.serializers.plugins import PluginOut
from api.placet.views.base import given, read_body
from reviews.plugins import find_plugin, installed_plugins
from reviews.plugins.calling import Call, CallRefusedError, call
from reviews.plugins.configuration import Configured, configure, configured
from reviews.plugins.icons import read_icon

TAG = "Plugins of people"
ICON_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "private, max-age=3600",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Plugins(PersonView):
    @operation(
        "listPluginsAsPerson",
        tag=TAG,
        answers={200: array_of(PluginOut)},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """The manifests of all installed plugins, also of those that are switched off."""
        membership_of(request)
        return Response([plugin.public_manifest for plugin in installed_plugins().values()])


class OnePlugin(PersonView):
    @operation(
        "getPluginAsPerson",
        tag=TAG,
        answers={200: PluginOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, plugin_name: str) -> Response:
        """One manifest."""
        membership_of(request)
        return Response(find_plugin(plugin_name).public_manifest)


class Render(PersonView):
    @operation(
        "renderPlugin",
        tag=TAG,
        answers={200: RenderOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, plugin_name: str) -> Response:
        """What stands in the plugin's frame, and the values that it finds there."""
        used = configured(workspace_of(request), find_plugin(plugin_name))
        return Response({"html": used.plugin.html, "env": used.frame_env})


class Icon(PersonView):
    @operation(
        "getPluginIcon",
        tag=TAG,
        answers={(200, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, "The picture.")},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, plugin_name: str) -> HttpResponse:
        """The file of its icon; a plugin that only names one has none."""
        membership_of(request)
        icon = read_icon(find_plugin(plugin_name))
        if icon is None:
            raise NotFound(f'Plugin "{plugin_name}" has no icon')
        return HttpResponse(icon.content, headers=ICON_HEADERS, content_type=icon.media_type)


class Config(PersonView):
    @operation(
        "getPluginConfig",
        tag=TAG,
        answers={200: PluginSetupOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, plugin_name: str) -> Response:
        """The workspace's values for this version, and what it takes."""
        used = configured(managing(request).workspace, find_plugin(plugin_name))
        schema = [
            asdict(each) | ({"default": ""} if each.secret else {})
            for each in used.plugin.variables
        ]
        return Response(_config(used) | {"envSchema": schema})

    @operation(
        "setPluginConfig",
        tag=TAG,
        body=PluginConfigIn,
        answers={200: PluginConfigOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def put(self, request: Request, plugin_name: str) -> Response:
        """Replace the values, and switch the plugin on or off."""
        workspace, plugin = managing(request).workspace, find_plugin(plugin_name)
        body = read_body(request, PluginConfigIn)
        used = configure(
            workspace,
            plugin,
            values=body.env_values,
            enabled=given(body.enabled),
            now=timezone.now(),
        )
        return Response(_config(used))


def _config(used: Configured) -> dict[str, Any]:
    return {"envValues": used.shown_values, "enabled": used.enabled}


class Fetch(PersonView):
    @operation(
        "fetchForPlugin",
        tag=TAG,
        body=PluginFetchIn,
        answers={200: PluginFetchOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request, plugin_name: str) -> Response:
        """Make a call for a plugin, to hosts that its manifest allows.

        The status is 200 whatever comes of it. People who may only look, only read: GET and HEAD.
        """
        membership, body = membership_of(request), read_body(request, PluginFetchIn)
        used = configured(membership.workspace, find_plugin(plugin_name))
        asked = Call(body.url, body.method, given(body.headers) or {}, body.body or "")
        try:
            answer = call(used, asked, may_write=membership.may_answer)
        except CallRefusedError as refusal:
            return Response({"ok": False, "status": 0, "error": str(refusal)})
        return Response(
            {
                "ok": answer.ok,
                "status": answer.status,
                "statusText": answer.reason,
                "headers": answer.headers,
                "body": answer.body,
            }
        )
