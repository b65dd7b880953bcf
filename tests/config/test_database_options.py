"""How connections to the database are set up."""

import pytest
from django.db import connection

from config.settings import _database


def options_of(url: str) -> object:
    return _database(url)["OPTIONS"]


def test_options_of_the_address_come_before_ours() -> None:
    assert options_of("postgresql://host/name?sslmode=require") == {
        "options": "-c jit=off",
        "sslmode": "require",
    }
    assert options_of("postgresql://host/name?options=-cjit_above_cost=1") == {
        "options": "-cjit_above_cost=1"
    }


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite compiles nothing")
def test_statements_are_not_compiled(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
