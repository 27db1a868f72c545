"""The database itself refuses to change or delete an audit event, on SQLite and on PostgreSQL."""

from django.db import migrations

from plaquelab.audit import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: append_only.install(schema_editor.connection),
            lambda apps, schema_editor: append_only.remove(schema_editor.connection),
        )
    ]
