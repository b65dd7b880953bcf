"""What holds for every operation of the OpenAPI document, whichever they are."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.placet import examples
from api.placet.urls import urlpatterns
from attachments.models import Attachment
from delivery.models import SigningKeyPair, SigningSecret
from inbox.models import Channel, Message, StatusChange, StatusEvent
from reviews.models import ReviewRequest
from tests.api.placet.operations import (
    IDS,
    MISSING,
    OPERATIONS,
    Operation,
    Place,
    World,
    build_world,
    call,
    document,
    id_places,
)
from tests.api.placet.test_bad_input import assert_refused
from tests.cases import each
from tests.conftest import Agent
from tests.factories import make_key, make_workspace

PLACES = [(operation, place) for operation in OPERATIONS for place in id_places(operation)]
MALFORMED = ["x" * 300, "%2e%2e%2f", "'%20OR%201=1--", "{$ne:1}", "%00", "c" + "1" * 24, "0"]

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


def assert_fits(value: Any, schema: dict[str, Any]) -> None:
    problems = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(value)
    ]
    assert not problems


@each("operation", OPERATIONS)
def test_documented_call_gets_a_documented_answer(
    agent: Agent, world: World, operation: Operation
) -> None:
    answer = call(agent, operation, world)
    assert 200 <= answer.status_code < 300, answer.content
    if answer["content-type"].startswith("application/json"):
        assert_fits(answer.json(), operation.answer_schema(answer.status_code))


@each("operation", OPERATIONS)
def test_documented_examples_fit_their_schemas(operation: Operation) -> None:
    answered = examples.ANSWERS.get(operation.id)
    (status,) = (code for code in operation.about["responses"] if code.startswith("2"))
    if "application/json" in operation.about["responses"][status]["content"]:
        assert_fits(answered, operation.answer_schema(int(status)))
    for content in operation.content.values():
        assert_fits(operation.example, {**content["schema"], "components": _components()})


def _components() -> Any:
    return document()["components"]


@each("operation", OPERATIONS)
def test_documented_errors_have_a_schema_and_an_example(operation: Operation) -> None:
    errors = {s: a for s, a in operation.about["responses"].items() if not s.startswith("2")}
    assert {"401", "429"} <= errors.keys()
    for status, answer in errors.items():
        content = answer["content"]["application/json"]
        for example in content["examples"].values():
            assert example["value"]["statusCode"] == int(status)
            assert_fits(example["value"], operation.answer_schema(int(status)))


@each("operation", OPERATIONS)
def test_nothing_is_answered_without_a_good_key(world: World, operation: Operation) -> None:
    for key in ("", "hp_" + "0" * 48, "nonsense"):
        assert_refused(call(Agent(key), operation, world), 401)


@each("operation, place", PLACES)
def test_foreign_id_is_refused_like_a_missing_one(
    agent: Agent, world: World, foreign: World, operation: Operation, place: Place
) -> None:
    before = rows_of(foreign)
    theirs = call(agent, operation, world, at=place, value=foreign.ids[IDS[place.name]])
    nobodys = call(agent, operation, world, at=place, value=MISSING)
    refused, missing = (assert_refused(a, 400, 403, 404) for a in (theirs, nobodys))
    assert refused["statusCode"] == missing["statusCode"]
    assert refused["message"] == missing["message"]
    assert rows_of(foreign) == before


@each("operation, place", PLACES)
def test_malformed_id_is_refused(
    agent: Agent, world: World, operation: Operation, place: Place
) -> None:
    before = rows_of(world)
    for value in MALFORMED:
        assert_refused(call(agent, operation, world, at=place, value=value), 400, 403, 404)
    assert rows_of(world) == before


def rows_of(world: World) -> list[Any]:
    """Everything a workspace holds, value by value."""
    mine = {"workspace": world.workspace}
    channels = {"channel__workspace": world.workspace}
    return [
        list(rows.order_by("pk").values())
        for rows in (
            Channel.objects.filter(**mine),
            Message.objects.filter(**mine),
            ReviewRequest.objects.filter(**mine),
            Attachment.objects.filter(**mine),
            StatusChange.objects.filter(**channels),
            StatusEvent.objects.filter(**channels),
            SigningSecret.objects.filter(**mine),
            SigningKeyPair.objects.filter(**mine),
        )
    ]


def test_lists_show_nothing_of_others(agent: Agent, world: World, foreign: World) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET" and not operation.path_names:
            shown = call(agent, operation, world).content.decode()
            assert not [found for found in foreign.ids.values() if found in shown], operation.id


def test_every_route_stands_in_the_document() -> None:
    documented = {re.sub(r"{\w+}", "{}", path) for path in document()["paths"]}
    routes = {"/api/v1/" + re.sub(r"<[^>]+>", "{}", str(route.pattern)) for route in urlpatterns}
    assert routes <= documented
