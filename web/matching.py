"""What it means that something mentions a text that a person typed."""

import json
from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Q, TextField
from django.db.models.lookups import IContains, Lookup
from django.db.models.sql.compiler import SQLCompiler


@CharField.register_lookup
@TextField.register_lookup
class Mentions(IContains):
    """`icontains` that folds ASCII letters only, on PostgreSQL as on SQLite.

    Folding by the rules of a language takes PostgreSQL about twice as long.
    """

    lookup_name = "mentions"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        return self._compare('UPPER({} COLLATE "C") LIKE UPPER({} COLLATE "C")', compiler)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        return self._compare("{} LIKE {} ESCAPE '\\'", compiler)

    def _compare(self, sql: str, compiler: SQLCompiler) -> tuple[str, list[Any]]:
        column, column_params = Lookup.process_lhs(self, compiler, compiler.connection)
        text, text_params = self.process_rhs(compiler, compiler.connection)
        return sql.format(column, text), [*column_params, *text_params]


def contains(column: str, text: str) -> Q:
    """The column has the text in it, in any case."""
    return _any(column, _spellings(text))


def contains_in_json(column: str, text: str) -> Q:
    """The same for JSON as an agent wrote it, where letters and quotes may stand escaped."""
    written = {
        json.dumps(spelling, ensure_ascii=ascii_only)[1:-1]
        for spelling in _spellings(text)
        for ascii_only in (True, False)
    }
    return _any(column, sorted(written))


def mentions(text: str) -> Q:
    """Reviews whose message, question or channel has the text in it."""
    return (
        contains("message__text", text)
        | contains_in_json("payload_json", text)
        | contains("channel__name", text)
    )


def _any(column: str, texts: Iterable[str]) -> Q:
    matching = Q()
    for text in texts:
        matching |= Q(**{f"{column}__mentions": text})
    return matching


def _spellings(text: str) -> list[str]:
    """Other letters than those of ASCII are tried in the ways that people write words."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys([text, text.lower(), text.upper(), text.capitalize(), text.title()]))
