"""Studies of a handful of patients: every question answers, with reasons where it cannot estimate (simulated)."""

from __future__ import annotations

import json

import pytest

from analytics.freeze import read_freeze
from analytics.questions import QUESTIONS
from analytics.simulation.freeze import simulate_freeze


@pytest.fixture(scope="module", params=[(10, 1), (60, 2)], ids=["10 patients", "60 patients"])
def tiny(request, tmp_path_factory):
    patients, seed = request.param
    out = tmp_path_factory.mktemp("tiny") / "freeze"
    simulate_freeze(out, seed=seed, patients=patients)
    return read_freeze(out)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", list(QUESTIONS))
@pytest.mark.parametrize("profile", ["recommended", "lin2022"])
def test_every_question_answers(tiny, name, profile):
    question = QUESTIONS[name]
    given = {"profile": profile} if "profile" in question.parameters.__dataclass_fields__ else {}
    for replicates in (0, 40):
        found = question.answer(tiny, question.parameters(**given), replicates=replicates)
        json.dumps(found.to_dict(), allow_nan=False)
        assert found.grids
    assert question.cases(tiny, question.parameters(**given), {}) is not None
