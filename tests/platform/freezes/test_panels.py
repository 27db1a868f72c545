"""Case panels: drawn from what is stored, of final cases, and only where investigators may see images."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from plaquelab.freezes import freezing, panels, services
from plaquelab.freezes.frozen import open_freeze
from plaquelab.freezes.gathering import gather
from plaquelab.studies.models import CharterVersion
from tests.platform.ready_cases import (
    assigned,
    drawn_contours,
    drawn_read,
    drawn_vessel,
    ready_case,
    sign_as,
)

__all__ = ["assigned", "ready_case"]


@pytest.fixture
def final(assigned: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    from inference.scan import Volume

    for read, reader in zip(assigned.reads, (assigned.reader, assigned.reader2), strict=True):
        sign_as(read, reader)
    hu = np.full((60, 60, 60), -50, np.int16)
    hu[:, 28:33, 28:33] = 400
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = (-15.0, -15.0, -4.0)
    volume = Volume(hu=hu, affine=affine)
    monkeypatch.setattr(panels, "volume_of", lambda exam: volume)
    return assigned


@pytest.mark.django_db
def test_three_pictures_of_the_narrowest_lesion(final: SimpleNamespace) -> None:
    rows, pictures = panels.draw(gather(final.study), progress=lambda *_: None)
    assert [row["kind"] for row in rows] == ["curved_reformation", "composition_overlay", "vessel"]
    assert {row["file"] for row in rows} == set(pictures)
    assert {row["patient"] for row in rows} == {"alpha-subject-7"}
    assert "lesion 1" in rows[0]["caption"]
    sizes = {row["kind"]: Image.open(io.BytesIO(pictures[row["file"]])).size for row in rows}
    assert sizes["vessel"] == (384, 384)
    assert sizes["composition_overlay"] == (140, 256)  # 70 sections × 2, 64 pixels × 4
    again, same = panels.draw(gather(final.study), progress=lambda *_: None)
    assert (again, same) == (rows, pictures)


@pytest.mark.django_db
@pytest.mark.parametrize("allowed", [True, False])
def test_pictures_enter_a_freeze_only_where_the_charter_shows_images(
    final: SimpleNamespace, allowed: bool
) -> None:
    if allowed:
        rules = {**final.charter.rules, "investigators_see_images": True}
        CharterVersion.objects.create(study=final.study, number=2, rules=rules)
    made = services.request_freeze(study=final.study, by=final.manager, leave_out_waiting=True)
    freeze = freezing.execute(made.pk)
    assert freeze.state == "frozen", freeze.message
    opened = open_freeze(freeze)
    assert len(opened.table("panels")) == (3 if allowed else 0)
    assert any(name.startswith("panels/") for name in freeze.files) == allowed
    opened.verify()


@pytest.mark.django_db
def test_a_panel_is_served_to_who_may_open_the_freeze(final: SimpleNamespace, client_for) -> None:
    rules = {**final.charter.rules, "investigators_see_images": True}
    CharterVersion.objects.create(study=final.study, number=2, rules=rules)
    freeze = freezing.execute(
        services.request_freeze(study=final.study, by=final.manager, leave_out_waiting=True).pk
    )
    address = f"/studies/alpha/freezes/1/panels/{open_freeze(freeze).table('panels')['file'][0]}"
    answer = client_for(final.manager).get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert client_for(final.investigator).get(address).status_code == 404
    services.release_freeze(freeze=freeze, by=final.manager, reason="for the panels' test")
    assert client_for(final.investigator).get(address).status_code == 200
    assert client_for(final.reader).get(address).status_code == 403
    assert client_for(final.manager).get("/studies/alpha/freezes/1/panels/other.png").status_code == 404


def test_the_section_is_drawn_where_the_contours_lie() -> None:
    vessel, read = drawn_vessel("LAD", "pLAD"), drawn_read("LAD")
    number = panels.narrowest_section(vessel, read, read.lesions[0])
    assert 20 <= number < 40  # the plaque narrows sections 20 to 39
    picture = panels.section(vessel, read, number)
    lumen = (picture == np.array(panels.LUMEN, np.uint8)).all(2)
    rows, columns = np.nonzero(lumen)
    radius = np.hypot(rows - 191.5, columns - 191.5) / 6 * 0.3125
    # Lumen 1.5 mm, and 1.2 mm in the plaque's quarter, which lies right below (u to the right, v downwards).
    assert radius.max() == pytest.approx(1.5, abs=0.15)
    quarter = (rows > 200) & (columns > 200)
    assert radius[quarter].max() < 1.4
    assert radius[(rows < 180) & (columns < 180)].min() > 1.35


def test_plaque_is_tinted_by_its_composition() -> None:
    vessel = drawn_vessel("LAD", "pLAD")
    composition = np.zeros(vessel.hu.shape, np.uint8)
    composition[20:40, 31:33, 40:44] = 3
    picture = panels.along(vessel, composition)
    plain = panels.along(vessel, np.zeros_like(composition))
    changed = (picture != plain).any(2)
    columns = np.flatnonzero(changed.any(0))
    rows = np.flatnonzero(changed.any(1))
    assert (columns.min(), columns.max()) == (40, 79)
    assert (rows.min(), rows.max()) == (160, 175)
    yellow = picture[rows[0], columns[0]].astype(int)
    assert yellow[0] > yellow[2]
    assert drawn_contours().plaque.any()
