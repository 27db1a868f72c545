"""A lab's own reads as training data: what the expert drew becomes labels, patients stay apart, damage is named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inference.contours import VesselContours
from inference.errors import InferenceError
from inference.phantom import generate, soft_targets
from inference.straightening import straighten
from inference.training.batches import Sampler
from inference.training.config import TrainingConfig
from inference.training.data import make_patient
from inference.training.loop import train
from inference.training.reads import load_reads, soft_shares, split, write_reads


@pytest.fixture(scope="module")
def drawn():
    """Vessels of three tiny patients with their true contours, and the true shares of pixels."""
    out = []
    for seed in (1, 2, 3):
        phantom = generate(seed, "tiny")
        for line in phantom.stored_points(0.3):
            vessel = straighten(phantom.volume, line)
            contours = phantom.truth_read(vessel).contours
            out.append((f"p{seed}", vessel, contours, soft_targets(phantom.vessels[vessel.vessel], vessel)))
    return out


@pytest.fixture
def folder(drawn, tmp_path):
    write_reads(tmp_path / "reads", [(p, v, c, True) for p, v, c, _ in drawn])
    return tmp_path / "reads"


def test_labels_are_what_was_drawn(drawn):
    """Against shares integrated from the phantom's own table."""
    for _, _, contours, exact in drawn:
        shares = soft_shares(contours)
        for n, least in enumerate((0.985, 0.985, 0.94)):
            a, b = shares[:, n] > 127, exact[..., n] > 127
            assert 2 * (a & b).sum() >= least * (a.sum() + b.sum())
        assert np.abs(shares[:, 0].astype(float) - exact[..., 0]).mean() < 2.0


def test_a_mask_overrules_the_radii():
    mask = np.zeros((64, 64), np.uint8)
    mask[30:34, 30:40], mask[30:34, 30:33] = 3, 1
    radii = np.full((2, 64), 2.0)
    contours = VesselContours(radii / 2, radii, np.zeros((2, 64), bool), {1: mask})
    shares = soft_shares(contours)
    assert (shares[1, 0] == 255 * (mask > 0)).all()
    assert (shares[1, 2] == 255 * (mask == 3)).all()
    area = shares[0, 0].sum() / 255 * 0.3125**2
    assert area == pytest.approx(np.pi * 4, rel=0.01)


def test_the_folder_reads_back_and_patients_stay_apart(drawn, folder):
    vessels = load_reads(folder)
    assert [v.name for v in vessels] == [v.vessel for _, v, _, _ in drawn]
    assert (vessels[0].hu == drawn[0][1].hu).all()
    kept, away = split(vessels, 0.2)
    assert len({v.patient for v in kept}) == 2
    assert len({v.patient for v in away}) == 1
    assert not {v.patient for v in kept} & {v.patient for v in away}
    assert [v.patient for v in split(vessels, 0.2)[1]] == [v.patient for v in away]
    with pytest.raises(InferenceError, match="not empty"):
        write_reads(folder, [])


def test_damage_is_named(folder):
    row = json.loads((folder / "reads.json").read_text())["vessels"][1]
    (folder / row["contours"]).write_bytes(b"something else")
    with pytest.raises(InferenceError) as damaged:
        load_reads(folder)
    assert damaged.value.code == "reads-damaged"
    assert row["contours"] in str(damaged.value)
    (folder / row["contours"]).unlink()
    with pytest.raises(InferenceError, match="missing"):
        load_reads(folder)
    (folder / "reads.json").write_text('{"format": 1}')
    with pytest.raises(InferenceError, match="cannot be understood"):
        load_reads(folder)
    with pytest.raises(InferenceError, match=r"no reads\.json"):
        load_reads(folder.parent)


def test_stretches_come_from_phantoms_and_reads_as_asked(folder, tmp_path):
    make_patient(seed=7, scenario="tiny", folder=tmp_path, versions=1)
    own = load_reads(folder)
    sampler = Sampler(
        own[:2], reads=own[2:], reads_share=0.25, seed=1, stretches=2, sections=3, plaque_share=0.5
    )
    drawn = np.array([sampler._where()[0] for _ in range(2000)])
    assert np.isclose((drawn >= 2).mean(), 0.25, atol=0.03)
    assert set(drawn.tolist()) == set(range(len(own)))
    with pytest.raises(ValueError, match="no vessels"):
        Sampler(own, reads_share=0.5, seed=1, stretches=1, sections=1, plaque_share=0.5)


def test_a_run_mixes_reads_with_phantoms_and_scores_the_patients_it_kept_away(folder, tmp_path):
    make_patient(seed=1, scenario="tiny", folder=tmp_path / "cache", versions=1)
    for path in make_patient(seed=9, scenario="tiny", folder=tmp_path / "cache", versions=1).parent.glob(
        "tiny-9*"
    ):
        path.rename(path.with_name(path.name.replace("tiny", "demo")))
    config = TrainingConfig(
        network="unet_2d",
        patients=(("tiny", 1, 1),),
        validation=(("demo", 9, 1),),
        reads=str(folder),
        versions=1,
        steps=2,
        stretches=2,
        stretch_sections=2,
    )
    said: list[str] = []
    train(config, folder=tmp_path / "run", data_folder=tmp_path / "cache", say=said.append, device="cpu")
    assert "reads_plaque" in said[-1]
