"""What holds for every operation of this dialect, whichever they are."""

import re
from typing import Any

import pytest

from api.conversations import examples
from api.conversations.urls import urlpatterns
from tests.api.conversations.operations import (
    IDS,
    MISSING,
    OPERATIONS,
    World,
    build_world,
    call,
    id_places,
    messages_of,
)
from tests.api.conversations.test_bad_input import assert_refused
from tests.api.placet.operations import Operation, document
from tests.api.placet.test_every_operation import assert_fits
from tests.cases import each
from tests.conftest import Agent
from tests.factories import make_key, make_workspace

PLACES = [(operation, place) for operation in OPERATIONS for place in id_places(operation)]
MALFORMED = ["x" * 300, "%2e%2e%2f", "'%20OR%201=1--", "{$ne:1}", "%00", "con_", "0", "\u202econ"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return build_world(make_workspace())


@pytest.fixture
def foreign() -> World:
    return build_world(make_workspace("Elsewhere"))


@pytest.fixture
def agent(world: World) -> Agent:
    return Agent(make_key(world.workspace).clear)


def test_all_operations_are_in_the_document() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS} == {
        ("POST", "/messages"),
        ("POST", "/v1/messages"),
        ("GET", "/v1/conversations/{conversation_id}/messages"),
        ("GET", "/v1/events"),
    }
    documented = {re.sub(r"{\w+}", "{}", path) for path in document()["paths"]}
    routes = {"/v1/" + re.sub(r"<[^>]+>", "{}", str(route.pattern)) for route in urlpatterns}
    assert routes - {"/v1/^"} <= documented


@each("operation", OPERATIONS)
def test_documented_call_gets_a_documented_answer(
    agent: Agent, world: World, operation: Operation
) -> None:
    answer = call(agent, operation, world)
    assert answer.status_code == 200, answer.content
    assert_fits(answer.json(), operation.answer_schema(200))


@each("operation", OPERATIONS)
def test_documented_examples_fit_their_schemas(operation: Operation) -> None:
    assert_fits(examples.ANSWERS[operation.id], operation.answer_schema(200))
    for content in operation.content.values():
        schema = {**content["schema"], "components": document()["components"]}
        assert_fits(examples.BODIES[operation.id], schema)


@each("operation", OPERATIONS)
def test_documented_errors_have_a_schema_and_an_example(operation: Operation) -> None:
    errors = {s: a for s, a in operation.about["responses"].items() if s != "200"}
    assert {"400", "401", "404", "429", "503"} <= errors.keys()
    for status, answer in errors.items():
        for example in answer["content"]["application/json"]["examples"].values():
            assert_fits(example["value"], operation.answer_schema(int(status)))


@each("operation", OPERATIONS)
def test_nothing_is_answered_without_a_good_key(world: World, operation: Operation) -> None:
    before = messages_of(world)
    for key in ("", "hp_" + "0" * 48, "nonsense"):
        refused = assert_refused(call(Agent(key), operation, world), 401)
        assert refused["message"] == "Invalid or expired token."
    assert messages_of(world) == before


@each("operation, place", PLACES)
def test_foreign_id_is_refused_like_a_missing_one(
    agent: Agent, world: World, foreign: World, operation: Operation, place: tuple[str, str]
) -> None:
    before = messages_of(foreign), messages_of(world)
    theirs = foreign.ids[IDS[place[1]]]
    told = [
        assert_refused(call(agent, operation, world, at=place, value=value), 404)["message"]
        for value in (theirs, MISSING)
    ]
    assert told[0].replace(theirs, "…") == told[1].replace(MISSING, "…")
    assert (messages_of(foreign), messages_of(world)) == before


@each("operation, place", PLACES)
def test_malformed_id_is_refused(
    agent: Agent, world: World, operation: Operation, place: tuple[str, str]
) -> None:
    before = messages_of(world)
    for value in MALFORMED:
        assert_refused(call(agent, operation, world, at=place, value=value), 404)
    assert messages_of(world) == before


@each("operation", OPERATIONS)
def test_nothing_of_others_is_shown(
    agent: Agent, world: World, foreign: World, operation: Operation
) -> None:
    shown: Any = call(agent, operation, world).content.decode()
    assert "Hello Elsewhere" not in shown
