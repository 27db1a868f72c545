"""The cache of answers: by freeze, parameters and code; never a half file, never another person's business."""

from __future__ import annotations

import pytest

from analytics.freeze import read_freeze
from plaquelab.dashboards import answers
from plaquelab.dashboards.addresses import Address, read_selection
from plaquelab.dashboards.questions import QUESTIONS


@pytest.fixture
def freeze(simulated_folder):
    return read_freeze(simulated_folder)


def test_an_answer_is_computed_once(freeze, monkeypatch):
    question = QUESTIONS["cadrads"]
    parameters, problems = question.read(freeze, {})
    assert problems == ()
    first = answers.fast_answer(freeze, question, parameters)
    monkeypatch.setattr(answers, "document", lambda _: pytest.fail("computed again"))
    assert answers.fast_answer(freeze, question, parameters) == first


def test_every_parameter_the_resamples_and_the_code_are_in_the_key(freeze, monkeypatch):
    question = QUESTIONS["agreement"]
    texts = [{}, {"metric": "diameter_stenosis"}, {"site": "S07"}, {"matched_only": "1"}, {"form": "C,1"}]
    keys = {answers.answer_key(question, question.read(freeze, t)[0]) for t in texts}
    parameters, _ = question.read(freeze, {})
    keys.add(answers.answer_key(question, parameters, 100))
    keys.add(answers.answer_key(QUESTIONS["ivus"], QUESTIONS["ivus"].read(freeze, {})[0]))
    monkeypatch.setattr(answers, "source_version", lambda: "another")
    keys.add(answers.answer_key(question, parameters))
    assert len(keys) == 8


def test_a_file_that_was_cut_short_counts_as_none(freeze, settings):
    answers.write_file(freeze.hash, "k" * 64, answers.dump({"title": "whole"}))
    assert answers.read_file(freeze.hash, "k" * 64) == {"title": "whole"}
    [path] = (settings.DATA_DIR / "cache" / "answers").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(path.read_bytes()[:-9])
    assert answers.read_file(freeze.hash, "k" * 64) is None


def test_the_oldest_files_go(freeze, settings, monkeypatch):
    monkeypatch.setattr(answers, "MOST_FILES", 3)
    for letter in "abcde":
        answers.write_file(freeze.hash, letter * 64, answers.dump({}))
    assert len(list((settings.DATA_DIR / "cache" / "answers").iterdir())) == 3
    assert answers.read_file(freeze.hash, "e" * 64) == {}


@pytest.mark.parametrize("key", list(QUESTIONS))
def test_every_choice_that_a_page_offers_is_answered(freeze, key):
    """Each option of each field, one at a time: an answer, or a refusal in words."""
    from analytics.errors import AnalyticsError

    question = QUESTIONS[key]
    defaults, _ = question.read(freeze, {})
    for name, options in question.choices(freeze, defaults).items():
        for value, _label in options[:4]:
            parameters, problems = question.read(freeze, {name: value})
            assert problems == (), (name, value)
            try:
                found = answers.document(question.answer(freeze, parameters))
            except AnalyticsError:
                continue  # a reason for the person, shown in place of the answer
            answers.dump(found)  # no NaN in it


def test_an_address_gives_itself_back():
    link = "?group=S07 %26 Co&x0=-1.5"
    query = Address(2, {"pair": "network_ivus"}, {}).selecting(link)
    assert query == "freeze=2&pair=network_ivus&selection=group%3DS07%2B%2526%2BCo%26x0%3D-1.5"
    assert read_selection("group=S07+%26+Co&x0=-1.5") == {"group": "S07 & Co", "x0": "-1.5"}
    assert read_selection("x" * 401) == {}
