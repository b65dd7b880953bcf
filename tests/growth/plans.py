"""What PostgreSQL does for each statement: every one is explained just before it runs.

`EXPLAIN ANALYZE` runs it inside a savepoint that is taken back, so that the rows that it touches
are counted and not estimated, also those of an UPDATE or DELETE. Times are never looked at.
"""

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

EXPLAINED = ("SELECT", "UPDATE", "DELETE", "WITH")
SCANS = frozenset({"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid Scan"})
SORTS = frozenset({"Sort"})
REMOVED = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")

# Tables that no year makes large, and why.
SMALL = {
    "accounts_user": "people of one installation",
    "accounts_workspace": "as many as teams",
    "accounts_membership": "people of one installation",
    "accounts_apikey": "made by hand",
    "accounts_invitation": "made by hand",
    "inbox_channel": "as many as agents",
    "inbox_channelpicture": "one of a channel",
    "inbox_mute": "made by hand",
    "delivery_lane": "four of an origin",
    "delivery_goneurl": "one of an address that answered 410",
    "delivery_signingsecret": "one of a channel, and a few that end",
    "delivery_signingkeypair": "one of a workspace, and a few that end",
    "delivery_feedhead": "one of a workspace",
    "delivery_enginebeat": "one of a process",
    "delivery_pushkey": "made by hand",
    "delivery_pushsubscription": "browsers of people",
    "reviews_pluginconfig": "plugins of a workspace",
    "api_personpreference": "one of a person",
    "api_channelread": "people times channels that they opened",
    "api_unnamedcalls": "an hour each, for 30 days",
    "attachments_reconciliation": "a day each, for 30 days",
    "attachments_removal": "what is being deleted at the moment",
    "attachments_sighting": "what lies in the storage by mistake",
}

# Rows of a table that is read from end to end until more than that are in it, and why.
WHOLE = {
    "inbox_thread": (20_000, "150 pages, which cost less than to look 200 threads up one by one"),
}


@dataclass(frozen=True)
class Node:
    """A part of a plan that reads a table or sorts; `rows` are all that it took in its hands."""

    kind: str
    table: str
    index: str
    rows: int

    def __str__(self) -> str:
        using = f" by {self.index}" if self.index else ""
        return (
            f"{self.kind} of {self.table}{using}, {self.rows} rows"
            if self.table
            else (f"{self.kind} of {self.rows} rows")
        )


@dataclass(frozen=True)
class Explained:
    sql: str
    nodes: list[Node]

    def faults(self, large: Collection[str], *, most: int) -> list[str]:
        """What would grow with the tables."""
        return [str(node) for node in self.nodes if _grows(node, large, most)]


def _grows(node: Node, large: Collection[str], most: int) -> bool:
    if node.table in SMALL:
        return False
    if node.kind == "Seq Scan":
        whole, _why = WHOLE.get(node.table, (0, ""))
        return node.table in large and node.rows > whole
    return node.rows > most


def tables_above(rows: int) -> set[str]:
    """Those that statistics know to have more rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [rows]
        )
        return {name for (name,) in cursor.fetchall()}


@dataclass
class Plans:
    """The statements of a call, in their order."""

    explained: list[Explained] = field(default_factory=list)

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001  # as Django calls it
        context: Any,
    ) -> Any:
        if sql.lstrip().startswith(EXPLAINED) and not many:
            self.explained.append(Explained(sql, _explain(sql, params)))
        return execute(sql, params, many, context)

    def faults(self, *, most: int, large_from: int) -> list[str]:
        """`large_from`: tables with more rows must not be read from end to end."""
        large = tables_above(large_from)
        return [
            f"{fault}\n  {each.sql[:1500]}"
            for each in self.explained
            for fault in each.faults(large, most=most)
        ]


@contextlib.contextmanager
def explained() -> Iterator[Plans]:
    """Explain what runs inside; it has to be in a transaction."""
    plans = Plans()
    with connection.execute_wrapper(plans):
        yield plans


def _explain(sql: str, params: Any) -> list[Node]:
    with connection.connection.cursor() as cursor:
        cursor.execute("SAVEPOINT explained")
        try:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            (((whole,),),) = (cursor.fetchall(),)
        finally:
            cursor.execute("ROLLBACK TO SAVEPOINT explained")
            cursor.execute("RELEASE SAVEPOINT explained")
    return list(_nodes(whole[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    kind = plan["Node Type"]
    if kind in SCANS | SORTS:
        removed = sum(plan.get(reason, 0) for reason in REMOVED)
        rows = round((plan["Actual Rows"] + removed) * plan["Actual Loops"])
        if kind in SORTS:
            rows = sum(round(each["Actual Rows"] * each["Actual Loops"]) for each in plan["Plans"])
        yield Node(kind, plan.get("Relation Name", ""), plan.get("Index Name", ""), rows)
    yield from itertools.chain.from_iterable(_nodes(part) for part in plan.get("Plans", ()))
