"""How msgspec structs appear in the OpenAPI document: drf-spectacular asks msgspec."""

import json
import re
from typing import Any

import msgspec
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

REFERENCE = "#/components/schemas/{name}"
REFERENCED = re.compile(r'"#/components/schemas/(\w+)"')
OPTIONAL_BODY = "x-optional-body"


def _struct(name: str) -> type[msgspec.Struct]:
    """The struct class behind a component's name."""
    waiting = msgspec.Struct.__subclasses__()
    while waiting:
        candidate = waiting.pop()
        if candidate.__name__ == name:
            return candidate
        waiting += candidate.__subclasses__()
    raise LookupError(name)


class Schema(AutoSchema):
    """A DELETE may have a body: Placet names there what is to go."""

    def _get_request_body(self, direction: Any = "request") -> Any:
        method = self.method
        self.method = "POST" if method == "DELETE" else method
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method


class StructExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # untyped base
    """A struct used as `request=` or in `responses=`."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """The struct's own schema; structs inside it become components too."""
        _, parts = msgspec.json.schema_components([self.target], ref_template=REFERENCE)
        own = dict(parts.pop(self.target.__name__))
        for name, schema in parts.items():
            self._register(auto_schema, name, schema)
        return own

    @staticmethod
    def _register(auto_schema: Any, name: str, schema: dict[str, Any]) -> None:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=_struct(name)
        )
        auto_schema.registry.register_on_missing(component)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped base
    """Both headers that carry an API key."""

    target_class = "api.authentication.ApiKeyAuthentication"
    name = ["apiKey", "bearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either of them is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "x-api-key"},
            {"type": "http", "scheme": "bearer"},
        ]


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped base
    """Both carriers of a person's token."""

    target_class = "api.people.authentication.PersonAuthentication"
    name = ["personBearer", "personCookie"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either of them is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "cookie", "name": "access_token"},
        ]


class PageScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped base
    """The session of a page, which wants its token against forged requests, too."""

    target_class = "api.people.authentication.PageSession"
    name = "pageSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def add_listed(result: Any, generator: Any, request: Any, public: bool) -> Any:  # noqa: FBT001  # its signature
    """Structs that are only ever answered in an array: nothing else has put them there."""
    known = result["components"]["schemas"]
    for name in sorted(set(REFERENCED.findall(json.dumps(result))) - known.keys()):
        _, parts = msgspec.json.schema_components([_struct(name)], ref_template=REFERENCE)
        result["components"]["schemas"] = known = parts | known
    return result


def require_bodies(result: Any, generator: Any, request: Any, public: bool) -> Any:  # noqa: FBT001  # its signature
    """An operation that takes a body cannot do without it, unless it says so."""
    for methods in result["paths"].values():
        for about in methods.values():
            optional = about.pop(OPTIONAL_BODY, False)
            if "requestBody" in about:
                about["requestBody"]["required"] = not optional
    return result
