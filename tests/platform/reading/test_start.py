"""What a read begins with: stents that the image shows are left out of an independent read as of the network's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import inference.quantification.stents
from plaquelab.reading.editing import start_read, state_of


@pytest.mark.django_db
def test_an_independent_read_begins_with_the_stents_of_the_image_left_out(
    assigned: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def found(vessels: list) -> dict[str, tuple[tuple[float, float], ...]]:
        seen.extend(vessel.vessel for vessel in vessels)
        return {"LAD": ((3.0, 9.0),)}

    monkeypatch.setattr(inference.quantification.stents, "find_stents", found)
    read = assigned.reads[0]
    start_read(read=read, by=assigned.reader)
    assert "LAD" in seen
    assert not read.saw_network
    assert state_of(read=read, vessel="LAD").vessel_read.excluded == ((3.0, 9.0, "stent"),)
    for other in set(seen) - {"LAD"}:
        assert state_of(read=read, vessel=other).vessel_read.excluded == ()
