"""Rows of one workspace for people's documented calls."""

from accounts.models import Role, Workspace
from api.people import examples
from tests.api.placet.operations import World, build_world
from tests.factories import make_person


def build_people_world(workspace: Workspace) -> World:
    """What agents have, and a colleague."""
    world = build_world(workspace)
    colleague = make_person(workspace, Role.REVIEWER)
    return World(workspace, world.ids | {examples.PERSON_ID: str(colleague.pk)})
