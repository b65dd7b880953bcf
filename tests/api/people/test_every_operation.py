"""What holds for every operation of people, whichever they are."""

import re
from typing import Any

import pytest

from accounts.models import ApiKey, Membership, Role, User, Workspace
from api.models import PersonToken
from api.people import examples
from api.people.urls import urlpatterns
from reviews.models import PluginConfig
from tests.api.people.world import build_people_world, decided
from tests.api.placet.operations import (
    IDS,
    MISSING,
    OWN_NAMES,
    Operation,
    Place,
    World,
    call,
    document,
    id_places,
    operations,
)
from tests.api.placet.test_bad_input import assert_refused
from tests.api.placet.test_every_operation import MALFORMED, assert_fits, rows_of
from tests.cases import each
from tests.conftest import Agent, Caller, signed_in
from tests.factories import make_key, make_person, make_workspace

OPERATIONS = list(operations(agents=False))
PLACES = [(operation, place) for operation in OPERATIONS for place in id_places(operation)]
PUBLIC = {"openShareLink", "signIn", "signOut"}
OPEN_TO_VIEWERS = {
    "changePassword",
    "createSocketTicket",
    "downloadFileAsPerson",
    "downloadFiles",
    "fetchForPlugin",
    "getAgentFigures",
    "getAvatar",
    "getFigures",
    "getMe",
    "getMessageAsPerson",
    "getPluginAsPerson",
    "getPluginIcon",
    "getPreferences",
    "getPushKey",
    "listAgentsAsPerson",
    "listFilesAsPerson",
    "listIterationsAsPerson",
    "listMessagesAsPerson",
    "listPluginsAsPerson",
    "listReviews",
    "markAgentRead",
    "openShareLink",
    "renderPlugin",
    "renewSession",
    "signIn",
    "signOut",
    "subscribePush",
    "unsubscribePush",
    "updatePreferences",
}
# A browser must be able to forget its cookie, and a person to leave.
OPEN_WITH_GIVEN_PASSWORD = {"changePassword", "getMe", "renewSession", *PUBLIC}

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return build_people_world(make_workspace())


@pytest.fixture
def foreign() -> World:
    return build_people_world(make_workspace("Elsewhere"))


@pytest.fixture
def ada(world: World) -> User:
    return make_person(world.workspace, email=examples.BODIES["signIn"]["email"])


@pytest.fixture
def caller(ada: User) -> Caller:
    return signed_in(ada)


def people_rows(workspace: Workspace) -> list[Any]:
    mine = {"workspace": workspace}
    members = User.objects.filter(memberships__workspace=workspace)
    return [
        list(PluginConfig.objects.filter(**mine).order_by("pk").values("enabled")),
        list(members.order_by("pk").values()),
        list(Membership.objects.filter(**mine).order_by("pk").values()),
        list(ApiKey.objects.filter(**mine).order_by("pk").values()),
        list(PersonToken.objects.filter(user__in=members).order_by("pk").values()),
    ]


@each("operation", OPERATIONS)
def test_documented_call_gets_a_documented_answer(
    caller: Caller, world: World, operation: Operation
) -> None:
    if operation.id == "sendAgain":
        decided(world)
    answer = call(caller, operation, world)
    assert 200 <= answer.status_code < 300, answer.content
    if answer.get("content-type", "").startswith("application/json") and answer.content:
        assert_fits(answer.json(), operation.answer_schema(answer.status_code))


@each("operation", OPERATIONS)
def test_documented_examples_fit_their_schemas(operation: Operation) -> None:
    (status,) = (code for code in operation.about["responses"] if code.startswith("2"))
    if "application/json" in operation.about["responses"][status].get("content", ()):
        assert_fits(examples.ANSWERS[operation.id], operation.answer_schema(int(status)))
    for content in operation.content.values():
        components = {"components": document()["components"]}
        assert_fits(operation.example, {**content["schema"], **components})


@each("operation", OPERATIONS)
def test_nothing_is_answered_without_a_good_token(world: World, operation: Operation) -> None:
    if operation.id in PUBLIC:
        return
    key = make_key(world.workspace).clear
    for nobody in (Caller("lp_" + "x" * 43), Caller(key), Agent(key), Caller("é"), Caller("")):
        answer = call(nobody, operation, world)
        assert assert_refused(answer, 401)["message"] == "Unauthorized"
        assert answer["WWW-Authenticate"].startswith("Bearer")


@each("operation", OPERATIONS)
def test_given_password_opens_only_its_own_change(
    caller: Caller, world: World, ada: User, operation: Operation
) -> None:
    User.objects.filter(pk=ada.pk).update(must_change_password=True)
    answer = call(caller, operation, world)
    if operation.id in OPEN_WITH_GIVEN_PASSWORD:
        assert answer.status_code == 200
    else:
        assert "Change it first" in assert_refused(answer, 403)["message"]


@each("operation", OPERATIONS)
def test_viewers_may_look_and_no_more(world: World, operation: Operation) -> None:
    viewer = make_person(world.workspace, Role.VIEWER, email=examples.BODIES["signIn"]["email"])
    answer = call(signed_in(viewer), operation, world)
    if operation.id in OPEN_TO_VIEWERS:
        assert 200 <= answer.status_code < 300
    else:
        assert_refused(answer, 403)


@each("operation", OPERATIONS)
def test_cookie_of_another_site_writes_nothing(
    caller: Caller, world: World, operation: Operation
) -> None:
    if operation.method == "GET":
        return
    foreign: Any = {"cookie": f"access_token={caller.key}", "sec-fetch-site": "cross-site"}
    before = rows_of(world) + people_rows(world.workspace)
    answer = call(Caller(""), operation, world, **foreign)
    assert "Another site" in assert_refused(answer, 403)["message"]
    assert rows_of(world) + people_rows(world.workspace) == before


@each("operation", OPERATIONS)
def test_foreign_workspace_is_not_chosen(
    caller: Caller, world: World, operation: Operation
) -> None:
    names = [each["name"] for each in operation.about.get("parameters", ())]
    if "X-Workspace" not in names:
        return
    for foreign in (str(make_workspace("Elsewhere").pk), MISSING, "nonsense", ""):
        header: Any = {"x-workspace": foreign}
        refused = call(caller, operation, world, **header)
        assert assert_refused(refused, 403)["message"] == "Not your workspace"


@each("operation, place", PLACES)
def test_foreign_id_is_refused_like_a_missing_one(
    caller: Caller, world: World, foreign: World, operation: Operation, place: Place
) -> None:
    before = rows_of(foreign) + people_rows(foreign.workspace)
    theirs = call(caller, operation, world, at=place, value=foreign.ids[IDS[place.name]])
    nobodys = call(caller, operation, world, at=place, value=MISSING)
    refused, missing = (assert_refused(a, 400, 403, 404) for a in (theirs, nobodys))
    assert (refused["statusCode"], refused["message"]) == (
        missing["statusCode"],
        missing["message"],
    )
    assert rows_of(foreign) + people_rows(foreign.workspace) == before


@each("operation, place", PLACES)
def test_malformed_id_is_refused(
    caller: Caller, world: World, operation: Operation, place: Place
) -> None:
    for value in MALFORMED:
        assert_refused(call(caller, operation, world, at=place, value=value), 400, 403, 404)


BAD_BODIES = [b"", b"{", b"[]", b"7", b'{"a":"\\u0000"}', b"\xff\xfe", b"[" * 100]


@each("operation", OPERATIONS)
def test_bad_body_is_refused(caller: Caller, world: World, operation: Operation) -> None:
    if not operation.takes_json:
        return
    path = operation.path
    for name in operation.path_names:
        path = path.replace(f"{{{name}}}", OWN_NAMES.get(name) or world.ids[IDS[name]])
    needed = operation.about["requestBody"]["required"]
    for body in BAD_BODIES[0 if needed else 1 :]:
        assert_refused(caller.call(operation.method, path, body), 400)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert_refused(caller.call(operation.method, path, b"a=1", **form), 415)


def test_lists_show_nothing_of_others(caller: Caller, world: World, foreign: World) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET" and not operation.path_names:
            shown = call(caller, operation, world).content.decode()
            assert not [found for found in foreign.ids.values() if found in shown], operation.id


def test_every_route_stands_in_the_document() -> None:
    documented = {re.sub(r"{\w+}", "{}", path) for path in document()["paths"]}
    routes = {"/api/" + re.sub(r"<[^>]+>", "{}", str(route.pattern)) for route in urlpatterns}
    assert routes <= documented
