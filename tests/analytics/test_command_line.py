"""``python -m analytics``: what it writes, prints and refuses."""

from __future__ import annotations

import csv
import json

from analytics.__main__ import main


def test_simulate_writes_labelled_tables_that_the_estimators_read(tmp_path, capsys):
    assert main(["simulate", "--out", str(tmp_path / "freeze"), "--csv", str(tmp_path)]) == 0
    assert "seed chosen to match the published counts" in capsys.readouterr().out
    with (tmp_path / "simulated_cohort.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 1611
    assert {row["cohort"] for row in rows} == {"simulated"}
    assert (
        main(
            [
                "icc",
                str(tmp_path / "simulated_reader_study.csv"),
                "--subject",
                "patient,lesion",
                "--rater",
                "read",
            ]
            + ["--value", "total_plaque_volume", "--cluster", "patient", "--replicates", "200", "--json"]
        )
        == 0
    )
    content = json.loads(capsys.readouterr().out)
    assert content["clusters"] > 250
    assert content["cluster_interval"]["method"].startswith("patient-cluster bootstrap")


def test_bad_input_is_one_line_and_status_2(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n3,x\n")
    assert main(["bland-altman", str(table), "--first", "a", "--second", "b"]) == 2
    message = capsys.readouterr().err
    assert "Column 'b', row 2: 'x' is not a number" in message
    assert len(message.splitlines()) == 1
    table.write_text("a,b\n1\n")
    assert main(["spearman", str(table), "--first", "a", "--second", "b"]) == 2
    assert "row 1: 1 cells under 2 headings" in capsys.readouterr().err
    assert main(["spearman", str(tmp_path / "none.csv"), "--first", "a", "--second", "b"]) == 2


def test_every_estimator_runs(tmp_path, capsys):
    table = tmp_path / "t.csv"
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a", "b", "event", "time", "grade1", "grade2", "group"])
        for i in range(40):
            writer.writerow(
                [
                    i,
                    i * 1.1 + (i % 3),
                    int(i % 4 == 0),
                    1 + (i * 7) % 11,
                    i % 3,
                    (i + (i % 7 == 0)) % 3,
                    i % 2,
                ]
            )
    calls = {
        "spearman": ["--first", "a", "--second", "b"],
        "kappa": ["--first", "grade1", "--second", "grade2", "--levels", "0,1,2", "--weights", "linear"],
        "roc": ["--marker", "a", "--outcome", "event"],
        "two-by-two": ["--test", "a", "--reference", "b", "--threshold", "20"],
        "incidence": ["--time", "time", "--event", "event", "--group", "group", "--horizon", "5"],
        "cox": ["--time", "time", "--event", "event", "--covariates", "a,group"],
    }
    for name, options in calls.items():
        assert main([name, str(table), *options]) == 0, name
        assert "nan" not in capsys.readouterr().out.lower()


def test_every_survival_and_timing_estimator_runs(tmp_path, capsys):
    table = tmp_path / "t.csv"
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["x", "y", "p", "event", "kind", "time", "site", "late"])
        for i in range(90):
            event = int(i % 3 == 0)
            kind = event + 2 * int(i % 9 == 1)
            writer.writerow(
                [i % 13, (i * 5) % 7 + 1, (i % 10 + 1) / 12, event, kind, 2 + (i * 7) % 11, i % 4, i % 2]
            )
    follow = ["--time", "time", "--event", "event"]
    causes = ["--time", "time", "--event", "kind"]
    calls = {
        "cox": [*follow, "--covariates", "x", "--strata", "site", "--cluster", "y", "--entry", "late"],
        "firth": [*follow, "--covariates", "x,y"],
        "cause-specific": [*causes, "--covariates", "x"],
        "fine-gray": [*causes, "--covariates", "x"],
        "competing": [*causes, "--outcomes", "infarction,other death", "--group", "late", "--horizon", "5"],
        "time-auc": [*follow, "--marker", "x", "--times", "4,6"],
        "spline": [*follow, "--marker", "x", "--covariates", "y"],
        "restricted-mean": [*follow, "--group", "late", "--tau", "6"],
        "calibration": ["--probability", "p", "--outcome", "event"],
        "subgroups": [*follow, "--marker", "x", "--by", "site,late"],
        "timing": ["--first", "time", "--second", "y"],
        "rate": ["--flag", "event", "--cluster", "y"],
    }
    for name, options in calls.items():
        assert main([name, str(table), *options]) == 0, name
        assert "nan" not in capsys.readouterr().out.lower()
        assert main([name, str(table), *options, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)
    assert main(["time-auc", str(table), *follow, "--marker", "x", "--times", "4;6"]) == 2
    assert "numbers joined by commas" in capsys.readouterr().err


def test_dictionary_names_every_table_and_unit(capsys):
    assert main(["dictionary"]) == 0
    shown = capsys.readouterr().out
    assert "lesion_pairs: one lesion as two reads measured it" in shown
    assert "  minimal_luminal_area_first (number, mm²): Minimal luminal area, first read" in shown
