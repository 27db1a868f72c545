"""``import_reads`` on the command line."""

from __future__ import annotations

import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from plaquelab.references.models import Covariate, ReferenceImport
from tests.platform.references.conftest import file_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(world, tmp_path):
    def call(kind, *rows, study="alpha", **options):
        path = tmp_path / "given.csv"
        path.write_bytes(file_of(kind, *rows))
        out, err = StringIO(), StringIO()
        try:
            call_command("import_reads", study, kind, str(path), stdout=out, stderr=err, **options)
        except CommandError as error:
            return None, err.getvalue() + str(error)
        return out.getvalue(), err.getvalue()

    return call


def test_it_imports_and_says_so(run):
    out, _ = run("covariates", "P-1,age,61,years", "P-1,total_cholesterol,232,mg/dL")
    assert out == (
        "row 3: total_cholesterol: converted from mg/dL to mmol/L.\nimport 1: 2 covariates rows stored in alpha.\n"
    )
    assert Covariate.objects.count() == 2
    assert ReferenceImport.objects.get().by is None


def test_a_dry_run_stores_nothing(run):
    out, _ = run("covariates", "P-1,age,61,years", dry_run=True)
    assert out == "dry run: 1 rows would be stored (1 values).\n"
    assert not ReferenceImport.objects.exists()
    out, _ = run("covariates", "P-1,age,61,years", dry_run=True, verbosity=2)
    assert "would be stored as CovariateEntry" in out
    out, text = run("covariates", "P-1,age,x,years", dry_run=True)
    assert out is None
    assert text == "row 2, column value: “x” is no number.\n1 problems: nothing would be stored."


def test_a_refused_file(run):
    out, text = run("covariates", "P-1,age,x,years", "P-1,sex,male,")
    assert out is None
    assert text == "row 2, column value: “x” is no number.\ngiven.csv was refused; nothing is stored."
    assert not Covariate.objects.exists()


def test_who_and_what_must_exist(run, world, tmp_path):
    assert run("covariates", "P-1,age,61,years", study="gamma")[1] == "There is no study “gamma”."
    assert "may not import references" in run("covariates", "P-1,age,61,years", by="alpha-reader")[1]
    assert "may not import references" in run("covariates", "P-1,age,61,years", by="beta-manager")[1]
    assert run("covariates", "P-1,age,61,years", by="alpha-manager")[0]
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_reads", "alpha", "ica", str(tmp_path / "none.csv"))


def test_a_hundred_thousand_rows(world, run):
    """About four seconds alone on one core; the machine that tests is shared."""
    from plaquelab.studies.models import Subject

    Subject.objects.bulk_create(
        Subject(study=world.study, site=world.site, pseudonym=f"S{i:05d}") for i in range(20_000)
    )
    names = ("age", "heart_rate", "height", "weight", "agatston_score")
    unit = {"age": "years", "heart_rate": "bpm", "height": "cm", "weight": "kg", "agatston_score": ""}
    rows = [f"S{i:05d},{name},{100},{unit[name]}" for i in range(20_000) for name in names]
    start = time.perf_counter()
    out, _ = run("covariates", *rows)
    assert out.endswith("import 1: 100000 covariates rows stored in alpha.\n")
    assert Covariate.objects.count() == 100_000
    assert time.perf_counter() - start < 60
