"""Is it alive, and can it do its work? No key needed, nothing given away."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from delivery import bus
from delivery.queries import engine_problem

logger = logging.getLogger(__name__)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok", "timestamp": _timestamp()})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Database, Redis and the engine work; 503 and the reason if one does not."""
    problem = _problem()
    body = {"status": "unavailable" if problem else "ok", "timestamp": _timestamp()}
    if problem:
        body["reason"] = problem
    return JsonResponse(body, status=503 if problem else 200)


def _problem() -> str:
    try:
        connection.ensure_connection()
        engine = engine_problem(timezone.now())
    except DatabaseError:
        logger.exception("readiness: database")
        return "the database cannot be reached"
    try:
        bus.client().ping()
    except (RedisError, OSError):
        return "Redis cannot be reached"
    return engine


def _timestamp() -> str:
    return timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
