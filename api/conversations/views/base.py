"""What the views of this dialect share."""

from typing import Any

from rest_framework.request import Request

from api.conversations.errors import RefusedCallError, handle
from api.placet.views.base import AgentView


class ConversationView(AgentView):
    """An agents' route with this dialect's errors."""

    def get_exception_handler(self) -> Any:
        return handle


class UnknownRoute(ConversationView):
    """Any other path below /v1/, without asking for a key."""

    authentication_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise RefusedCallError("There is no such route. See /api/docs.", status=404)
