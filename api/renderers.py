"""JSON out, by orjson. Stored JSON passes through as the agent wrote it (`orjson.Fragment`)."""

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer


def dump_json(value: Any) -> bytes:
    return orjson.dumps(value)


class FastJSONRenderer(JSONRenderer):
    """DRF's renderer interface over orjson."""

    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else dump_json(data)
