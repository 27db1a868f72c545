"""What a role may do stands in ``studies/permissions.py`` and nowhere else: the sources are parsed for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = ROOT / "platform" / "plaquelab"
ROLES = {"manager", "coordinator", "technician", "reader", "adjudicator", "investigator", "auditor"}
# The enumeration itself, the table, who is given a role, and the demonstration's cast.
ROOMS = {
    "studies/models.py",
    "studies/permissions.py",
    "studies/services.py",
    "studies/management/commands/add_member.py",
    "demo/plan.py",
    "demo/building.py",
}


def sources() -> list[Path]:
    found = [path for path in PLATFORM.rglob("*.py") if "migrations" not in path.parts]
    assert len(found) > 200
    return [path for path in found if str(path.relative_to(PLATFORM)) not in ROOMS]


def roles_in(text: str) -> Iterator[str]:
    """Yield what in a source names roles: the enumeration, a collection of their names, a comparison with one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "Role" for alias in node.names):
            yield f"line {node.lineno}: imports Role"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Role":
            yield f"line {node.lineno}: Role.{node.attr}"
        elif isinstance(node, ast.Set | ast.Tuple | ast.List):
            words = {e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)}
            if words and words <= ROLES:
                yield f"line {node.lineno}: a set of roles, {sorted(words)}"
        elif isinstance(node, ast.Compare | ast.keyword):
            constants = [
                n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            ]
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
            about_roles = isinstance(node, ast.Compare) and any(
                re.fullmatch(r"my_roles|roles?|mine", n) for n in names
            )
            if about_roles and ROLES & set(constants):
                yield f"line {node.lineno}: compares with {sorted(ROLES & set(constants))}"


def test_no_set_of_roles_stands_outside() -> None:
    found = [
        f"{path.relative_to(PLATFORM)}, {what}" for path in sources() for what in roles_in(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "from plaquelab.studies.models import Role, Study",
        "may = {models.Role, Role.READER}",
        "SEES = frozenset({'manager', 'auditor'})",
        "if 'reader' in roles: pass",
        "ok = membership.role == 'manager'",
    ],
)
def test_the_measure_finds_them(text: str) -> None:
    assert list(roles_in(text))


def test_templates_ask_for_capabilities() -> None:
    from plaquelab.studies.permissions import Capability

    templates = list(PLATFORM.rglob("*.html"))
    assert len(templates) > 20
    asked: set[str] = set()
    for path in templates:
        text = path.read_text()
        assert not re.search(r"\bin roles\b|\broles\.", text), path
        asked |= set(re.findall(r'"(\w+)" in may\b', text))
    assert asked
    assert asked <= set(map(str, Capability))


def test_nobody_reads_the_request_of_somebody_unknown() -> None:
    """A person is typed once: no view tells the type checker to look away."""
    for path in PLATFORM.rglob("*.py"):
        for line in path.read_text().splitlines():
            assert not ("request." in line and "type: ignore" in line), f"{path}: {line}"


def test_every_page_asks_with_a_capability() -> None:
    """``get_study`` is the only way from an address to a study."""
    for path in sources():
        name = str(path.relative_to(PLATFORM))
        if ("views" in name or "pages" in name) and not name.startswith("api/"):
            assert "Study.objects" not in path.read_text(), name
            assert "login_required" not in path.read_text(), name
