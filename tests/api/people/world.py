"""Rows of one workspace for people's documented calls."""

from accounts.models import Role, Workspace
from api.people import examples
from tests.api.placet.operations import World, build_world
from tests.factories import make_key, make_person


def build_people_world(workspace: Workspace) -> World:
    """What agents have, a colleague and a key."""
    world = build_world(workspace)
    colleague = make_person(workspace, Role.REVIEWER)
    key = make_key(workspace).row
    ids = {examples.PERSON_ID: str(colleague.pk), examples.KEY_ID: str(key.pk)}
    return World(workspace, world.ids | ids)
