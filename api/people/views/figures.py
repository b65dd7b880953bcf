"""Figures about agents (Placet contract 3.3)."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.people.documentation import WORKSPACE, operation
from api.people.figures import figures_of, figures_of_all
from api.people.serializers.figures import AgentFiguresOut, FiguresOut
from api.people.views.base import PersonView, workspace_of
from inbox.queries import find_channel

TAG = "Agents of people"


class AllFigures(PersonView):
    @operation(
        "getFigures", tag=TAG, answers={200: FiguresOut}, errors=[403], parameters=[WORKSPACE]
    )
    def get(self, request: Request) -> Response:
        """Figures about all agents; requests are counted as long as the logs keep them."""
        return Response(figures_of_all(workspace_of(request)))


class Figures(PersonView):
    @operation(
        "getAgentFigures",
        tag=TAG,
        answers={200: AgentFiguresOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, agent_id: str) -> Response:
        """Figures about one agent, and its last 100 changes of status, newest first."""
        return Response(figures_of(find_channel(workspace_of(request), agent_id)))
