"""The message server: what ElizaOS calls a workspace."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.eliza.documentation import operation
from api.eliza.serializers import MessageServerOut
from api.eliza.views.base import ElizaView, success
from api.placet.views.base import workspace_of


class CurrentServer(ElizaView):
    @operation("currentMessageServer", answers={200: MessageServerOut})
    def get(self, request: Request) -> Response:
        """The server of the key: `message_server_id` of all of its channels."""
        return success({"messageServerId": str(workspace_of(request).pk)})
