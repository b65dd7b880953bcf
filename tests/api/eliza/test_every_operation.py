"""What holds for every operation of this dialect, whichever they are."""

import re
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

from api.eliza import examples
from api.eliza.urls import urlpatterns
from tests.api.eliza.calls import MISSING, assert_refused
from tests.api.eliza.operations import IDS, OPERATIONS, Changed, call, id_places, world_in
from tests.api.placet.operations import Operation, Place, World, build_world, document
from tests.api.placet.test_every_operation import MALFORMED, rows_of
from tests.cases import each
from tests.conftest import Agent
from tests.factories import make_key, make_workspace

PLACES = [(operation, place) for operation in OPERATIONS for place in id_places(operation)]

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return world_in(build_world(make_workspace()))


@pytest.fixture
def foreign() -> World:
    return world_in(build_world(make_workspace("Elsewhere")))


@pytest.fixture
def agent(world: World) -> Agent:
    return Agent(make_key(world.workspace).clear)


def assert_fits(value: Any, schema: dict[str, Any]) -> None:
    whole = schema | {"components": document()["components"]}
    problems = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(whole).iter_errors(value)
    ]
    assert not problems


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
        assert_fits(examples.BODIES[operation.id], content["schema"])
        for example in content["examples"].values():
            assert_fits(example["value"], content["schema"])


@each("operation", OPERATIONS)
def test_documented_errors_have_a_schema_and_an_example(operation: Operation) -> None:
    assert operation.about["tags"] == ["ElizaOS"]
    errors = {s: a for s, a in operation.about["responses"].items() if not s.startswith("2")}
    assert {"401", "429", "503"} <= errors.keys()
    for status, answer in errors.items():
        for example in answer["content"]["application/json"]["examples"].values():
            assert_fits(example["value"], operation.answer_schema(int(status)))
            assert example["value"]["error"]["details"]


@each("operation", OPERATIONS)
def test_nothing_is_answered_without_a_good_key(world: World, operation: Operation) -> None:
    for key in ("", "hp_" + "0" * 48, "nonsense"):
        answer = call(Agent(key), operation, world)
        assert_refused(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer")


@each("operation, place", PLACES)
def test_foreign_id_is_refused_like_a_missing_one(
    agent: Agent, world: World, foreign: World, operation: Operation, place: Place
) -> None:
    before = rows_of(foreign), rows_of(world)
    theirs = Changed(place, foreign.ids[IDS[place.name]])
    refused, missing = (
        assert_refused(call(agent, operation, world, changed), 400, 403, 404)
        for changed in (theirs, Changed(place, MISSING))
    )
    assert refused == missing
    assert (rows_of(foreign), rows_of(world)) == before


@each("operation, place", PLACES)
def test_malformed_id_is_refused(
    agent: Agent, world: World, operation: Operation, place: Place
) -> None:
    before = rows_of(world)
    for value in MALFORMED:
        if place.where == "path" and unquote(value).endswith("/"):
            continue  # another route, or none
        error = assert_refused(call(agent, operation, world, Changed(place, value)), 400)
        assert "must be a UUID" in error["details"]
    assert rows_of(world) == before


def test_every_route_stands_in_the_document() -> None:
    documented = {re.sub(r"{\w+}", "{}", path) for path in document()["paths"]}
    routes = [str(route.pattern) for route in urlpatterns if route.name != "unknown-route"]
    assert len(routes) == 3
    assert {"/api/messaging/" + re.sub(r"<[^>]+>", "{}", route) for route in routes} <= documented
