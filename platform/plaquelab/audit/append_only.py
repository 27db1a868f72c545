"""The triggers by which the database itself refuses to change or delete an audit event."""

from __future__ import annotations

from typing import Any

_INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{event.lower()} BEFORE {event} ON audit_auditevent "
        "BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END"
        for event in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit events are append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_auditevent "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditevent "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ],
}
_REMOVE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS audit_no_{event}" for event in ("update", "delete")],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_no_truncate ON audit_auditevent",
        "DROP TRIGGER IF EXISTS audit_no_change ON audit_auditevent",
    ],
}


def _run(connection: Any, statements: dict[str, list[str]]) -> None:
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)


def install(connection: Any) -> None:
    """Install the triggers."""
    _run(connection, _INSTALL)


def remove(connection: Any) -> None:
    """Remove the triggers; only a migration backwards and the emptying of a test database do this."""
    _run(connection, _REMOVE)
