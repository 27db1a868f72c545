"""Ready-made cases hold what the product itself writes, and no key more: a fixture that knows more hides faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.pipeline import STAGES
from inference.scan import Volume as Scan
from plaquelab.imaging.models import Exam, Volume
from plaquelab.imaging.volumes import geometry_of

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_the_geometry_of_ready_exams_has_the_product_s_keys(
    ready_case: Any, make_exam: Callable[..., Exam]
) -> None:
    make_exam()
    written = geometry_of(Scan(hu=np.zeros((2, 2, 2), np.int16), affine=np.eye(4)))
    rows = list(Volume.objects.all())
    assert len(rows) >= 2
    for row in rows:
        assert row.geometry.keys() == written.keys()
        assert row.slabs.exists()


def test_the_analysis_that_runs_get_has_the_pipeline_s_stages(tiny_analysis: Any) -> None:
    assert tiny_analysis.timings.keys() <= {*STAGES, "load_network"}


def test_no_test_writes_a_volume_s_row_by_hand() -> None:
    by_hand = re.compile(r"\bVolume\.objects\.create\(|\bgeometry\s*=\s*\{")
    found = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path != Path(__file__) and by_hand.search(path.read_text())
    ]
    assert found == []
