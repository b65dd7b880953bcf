"""How people's operations stand in the OpenAPI document, beside the agents'."""

from functools import partial

from drf_spectacular.utils import OpenApiParameter

from api.people.examples import ANSWERS, BODIES, error_example
from api.placet.documentation import MEANINGS, Book
from api.placet.documentation import operation as placet_operation

PEOPLE = Book(
    BODIES,
    ANSWERS,
    MEANINGS
    | {
        401: "Nobody is signed in, or what was shown is not right.",
        403: "Not yours, not for your role, or asked for by another site's page.",
        409: "It cannot be done as things stand.",
    },
    error_example,
)
operation = partial(placet_operation, book=PEOPLE)

WORKSPACE = OpenApiParameter(
    "X-Workspace",
    str,
    OpenApiParameter.HEADER,
    description="Id of a workspace of yours; left out, the one you belong to longest is meant.",
)
