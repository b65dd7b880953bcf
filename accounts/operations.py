"""What migrations do that Django's own operations do otherwise."""

from typing import Any

from django.db import migrations


class DropIndexOf(migrations.AlterField):
    """A foreign key loses the index of its own (`db_index=False`), and nothing else happens.

    Django's `AlterField` makes the constraint anew: it would be checked for all rows, and from
    then on after the table's others, so that rows were locked in another order than before.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        column, connection = model._meta.get_field(self.name).column, schema_editor.connection  # noqa: SLF001  # documented
        with connection.cursor() as cursor:
            table = model._meta.db_table  # noqa: SLF001
            found = connection.introspection.get_constraints(cursor, table)
        named = {index.name for index in model._meta.indexes}  # noqa: SLF001
        for name, each in found.items():
            own = each["columns"] == [column] and each["index"] and not each["unique"]
            if own and not each["primary_key"] and name not in named:
                schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)  # noqa: SLF001
        schema_editor.execute(schema_editor._create_index_sql(model, fields=[field]))  # noqa: SLF001
