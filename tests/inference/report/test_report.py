"""The page of one analysis: complete, self-contained, and its pictures show what they say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from inference.analysis import Analysis, Settings
from inference.phantom import generate
from inference.pipeline import analyse
from inference.report import report_page
from inference.report.drawing import png, polygon, tinted
from inference.report.views import CURVED_PIXEL_MM, along, curved, grey

SUMMARY = {"timings_s": {"total": 1.0}}


@pytest.fixture(scope="module")
def phantom():
    return generate(4, "tiny")


@pytest.fixture(scope="module")
def analysis(phantom) -> Analysis:
    lines = phantom.stored_points(0.3)
    from inference.straightening import straighten

    lesions = {line.vessel: phantom.truth_read(straighten(phantom.volume, line)).lesions for line in lines}
    return analyse(phantom.volume, lines, settings=Settings(lesions=lesions, device="cpu"))


def test_the_window_runs_from_black_to_white():
    assert grey(np.array([-150, -149, 300, 750, 2000])).tolist() == [0, 0, 127, 255, 255]


def test_a_curved_view_holds_the_vessel_along_its_whole_length(phantom, analysis):
    """Where the centreline is drawn the lumen shines, and distances along the plane are true."""
    for vessel in analysis.vessels:
        view = curved(phantom.volume, vessel)
        columns, rows = view.line.round().astype(int).T
        assert (columns >= 0).all()
        assert (rows < view.hu.shape[0]).all()
        assert np.median(view.hu[rows, columns]) > 250
        flat = np.linalg.norm(np.diff(view.line, axis=0), axis=1).sum() * CURVED_PIXEL_MM
        assert flat <= vessel.arc_length[-1] * 1.001
        assert view.line[-1, 1] >= view.line[0, 1]


def test_a_cut_along_has_its_sections_side_by_side(analysis):
    vessel = analysis.vessels[0]
    for angle in (0, 1):
        cut = along(vessel, angle)
        assert cut.shape == (64, vessel.sections)
        assert np.median(cut[30:34]) > 250


def test_the_page_is_whole_and_needs_nothing_else(phantom, analysis):
    page = report_page(exam="A<1>", volume=phantom.volume, analysis=analysis, summary=SUMMARY)
    assert "A&lt;1&gt;: coronary plaque (simulated)" in page
    assert "For research use only" in page
    assert not re.search(r"(src|href)=\"?https?:", page)
    lesions = sum(len(read.lesions) for read in analysis.reads)
    assert lesions > 0
    for read in analysis.reads:
        for lesion in read.lesions:
            assert f'href="#{read.vessel}-{lesion.number}"' in page
            assert f'id="{read.vessel}-{lesion.number}"' in page
    cuts_and_curves = 3 * len(analysis.vessels)
    assert cuts_and_curves + lesions <= page.count("<svg") <= cuts_and_curves + 3 * lesions
    assert page.count(", narrowest</figcaption>") == lesions
    assert "nan" not in page.lower().split("<script>")[0].replace("base64", "")[:2000]


def test_warnings_and_an_empty_finding_are_said(phantom, analysis):
    bare = replace(
        analysis,
        warnings=("Weak <contrast>.",),
        reads=tuple(replace(read, lesions=()) for read in analysis.reads),
        records=(),
        rolled=(),
    )
    page = report_page(exam="x", volume=phantom.volume, analysis=bare, summary=SUMMARY)
    assert "Weak &lt;contrast&gt;." in page
    assert "No lesion was found." in page


def test_drawing():
    assert png(np.zeros((2, 3), np.uint8)).startswith("data:image/png;base64,iVBOR")
    tint = tinted(np.array([[0, 3]], np.uint8))
    assert tint[0, 0].tolist() == [0, 0, 0, 0]
    assert tint[0, 1].tolist() == [255, 214, 10, 140]
    assert polygon(np.array([[0, 1.0], [2, 3]]), "#fff", closed=False).startswith(
        '<polyline points="0.00,1.00 2.00,3.00"'
    )
