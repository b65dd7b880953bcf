"""How connections to the database are set up."""

import pytest
from django.db import connection

from config.settings import _database


def options_of(url: str) -> object:
    return _database(url)["OPTIONS"]


def test_options_of_the_address_come_before_ours() -> None:
    assert options_of("postgresql://host/name?sslmode=require") == {
        "server_side_binding": True,
        "options": "-c jit=off",
        "sslmode": "require",
    }
    assert options_of("postgresql://host/name?options=-cjit_above_cost=1") == {
        "server_side_binding": True,
        "options": "-cjit_above_cost=1",
    }


def test_pgbouncer_gets_nothing_that_outlives_a_transaction() -> None:
    behind = _database("postgresql://host/name?pgbouncer=true&sslmode=require")

    assert behind["OPTIONS"] == {"server_side_binding": True, "sslmode": "require"}
    assert behind["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert _database("postgresql://host/name")["DISABLE_SERVER_SIDE_CURSORS"] is False


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite compiles nothing")
def test_statements_are_not_compiled(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
