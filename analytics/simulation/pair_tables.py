"""Pair tables of a simulated reader study: lesions, territories and patients in two reads each.

Who reads what (Lin et al. 2022): the network beside the expert in all patients, a second expert in 100 of 275, IVUS
in 84 lesions of 50, ICA in 50, two operators' centrelines in 30; and, our own, a repeat in a tenth and 40 assisted
reads. With the network's own extents 7 % of lesions are missed and 5 % more are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.metrics import METRICS, TERRITORIES
from analytics.simulation.lesion_places import Lesions, place_lesions
from analytics.simulation.lesion_reads import (
    CENTRELINE,
    NETWORK,
    REPEAT,
    SECOND_EXPERT,
    LesionParts,
    ReadError,
    cadrads,
    other_read,
    plaque_stage,
    reference_lesions,
    roll_up,
)
from analytics.simulation.reader_study import ReaderStudy, gamma_read

Array = NDArray[np.float64]
Index = NDArray[np.int64]

MISSED, EXTRA = 0.07, 0.05
IVUS_LESIONS_PER_PATIENT = 84 / 50
IVUS_LOG_MEAN, IVUS_LOG_SD = 4.89, 0.70
IVUS_BIAS, IVUS_SD = 25.0, 45.0
IVUS_METRICS = (
    "total_plaque_volume",
    "total_plaque_burden",
    "vessel_volume",
    "lumen_volume",
    "minimal_luminal_area",
    "lesion_length",
)
REPEAT_SD, CENTRELINE_SD, ICA_STENOSIS_SD = 55.0, 12.0, 9.0
STENOSIS_SD = {"repeat": 8.0, "centreline": 2.0}


@dataclass
class PairTables:
    """Collects rows of the three pair tables."""

    lesions: Lesions
    rng: np.random.Generator
    lesion: list[pd.DataFrame] = field(default_factory=list)
    territory: list[pd.DataFrame] = field(default_factory=list)
    patient: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self,
        pair: str,
        extents: str,
        first: LesionParts,
        second: LesionParts,
        kinds: tuple[str, str],
        keep: NDArray[np.bool_],
        *,
        match: NDArray[Any] | None = None,
        levels: tuple[str, ...] = ("lesion", "territory", "patient"),
        metrics: tuple[str, ...] | None = None,
    ) -> None:
        """Add one pair. ``keep`` chooses patients; ``match`` (lesions) defaults to matched."""
        chosen = keep[self.lesions.patient]
        match = np.full(len(chosen), "matched", object) if match is None else match
        sides = [part.measurements() for part in (first, second)]
        for side, absent in zip(sides, ("second_only", "first_only"), strict=True):
            for name in side:
                side[name] = np.where(
                    match == absent, 0.0 if METRICS[name].zero_when_absent else np.nan, side[name]
                )
        if "lesion" in levels:
            frame = self.lesions.frame(chosen)
            frame["match"] = match[chosen]
            frame.loc[frame["match"] == "first_only", "second_lesion"] = np.nan
            frame.loc[frame["match"] == "second_only", "first_lesion"] = np.nan
            values = {
                f"{name}_{label}": side[name][chosen]
                for name in (metrics or tuple(sides[0]))
                for side, label in zip(sides, ("first", "second"), strict=True)
            }
            self.lesion.append(
                _identified(pd.concat([frame, pd.DataFrame(values)], axis=1), pair, extents, kinds)
            )
        if "territory" in levels:
            self._rolled(pair, extents, sides, kinds, keep)

    def _rolled(
        self,
        pair: str,
        extents: str,
        sides: list[dict[str, Array]],
        kinds: tuple[str, str],
        keep: NDArray[np.bool_],
    ) -> None:
        names, rng = self.lesions.names, self.rng
        place = np.array([TERRITORIES.index(t) for t in self.lesions.territory], np.int64)
        territory = self.lesions.patient * len(TERRITORIES) + place
        groups = len(names) * len(TERRITORIES)
        healthy = np.exp(rng.normal(6.2, 0.3, groups))
        frames = {
            "territory": pd.DataFrame(
                {
                    "patient": np.repeat(np.asarray(names, object), 3),
                    "territory": list(TERRITORIES) * len(names),
                }
            ),
            "patient": pd.DataFrame({"patient": np.asarray(names, object)}),
        }
        values: dict[str, dict[str, Any]] = {"territory": {}, "patient": {}}
        for side, label in zip(sides, ("first", "second"), strict=True):
            vessel = healthy * np.exp(rng.normal(0, 0.02, groups))
            lumen = 0.7 * vessel
            present = {name: np.nan_to_num(v) for name, v in side.items()}
            # A lesion that a read lacks has no lumen of its own: infinity leaves the smallest to the others.
            for name in ("minimal_luminal_area", "minimal_luminal_diameter"):
                present[name] = np.where(np.isnan(side[name]), np.inf, side[name])
            rolled = {
                "territory": roll_up(present, territory, groups, vessel, lumen),
                "patient": roll_up(
                    present,
                    self.lesions.patient,
                    len(names),
                    vessel.reshape(-1, 3).sum(1),
                    lumen.reshape(-1, 3).sum(1),
                ),
            }
            for level, found in rolled.items():
                values[level] |= {f"{name}_{label}": v for name, v in found.items()}
                values[level][f"cadrads_{label}"] = cadrads(found["diameter_stenosis"]).astype(float)
                values[level][f"nondiagnostic_{label}"] = np.zeros(len(found["diameter_stenosis"]), bool)
            values["patient"][f"plaque_stage_{label}"] = plaque_stage(
                rolled["patient"]["total_plaque_volume"]
            ).astype(float)
        self._nondiagnostic(values["territory"])
        for level, store in (("territory", self.territory), ("patient", self.patient)):
            chosen = np.repeat(keep, 3) if level == "territory" else keep
            frame = pd.concat([frames[level], pd.DataFrame(values[level])], axis=1)[chosen].reset_index(
                drop=True
            )
            frame["match"] = "matched"
            store.append(_identified(frame, pair, extents, kinds))

    def _nondiagnostic(self, values: dict[str, Any]) -> None:
        """One territory in a hundred is non-diagnostic in a read: no category, no stenosis."""
        for label in ("first", "second"):
            lost = self.rng.random(len(values[f"cadrads_{label}"])) < 0.01
            values[f"nondiagnostic_{label}"] = lost
            for name in ("cadrads", "diameter_stenosis", "area_stenosis"):
                values[f"{name}_{label}"] = np.where(lost, np.nan, values[f"{name}_{label}"])

    def tables(self) -> dict[str, pd.DataFrame]:
        """The pair tables of the freeze."""
        stored = {
            "lesion_pairs": self.lesion,
            "territory_pairs": self.territory,
            "patient_pairs": self.patient,
        }
        return {name: pd.concat(frames, ignore_index=True) for name, frames in stored.items()}


def _identified(frame: pd.DataFrame, pair: str, extents: str, kinds: tuple[str, str]) -> pd.DataFrame:
    names = frame["patient"].astype(str)
    return frame.assign(
        pair=pair, extents=extents, first_read=names + ":" + kinds[0], second_read=names + ":" + kinds[1]
    )


def simulate_pairs(
    rng: np.random.Generator, study: ReaderStudy, subsets: Mapping[str, NDArray[np.bool_]]
) -> tuple[dict[str, pd.DataFrame], Lesions]:
    """Every pair table of a reader study.

    Parameters
    ----------
    subsets : pair name → (patients,) which patients have it
    """
    lesions = place_lesions(rng, study)
    n = len(study.patient)
    everyone = np.ones(len(study.patients), bool)
    expert = lesions.parts
    network = other_read(rng, expert, NETWORK, study.volume["network"], study.stenosis["network"])
    second = other_read(
        rng, expert, SECOND_EXPERT, study.volume["second_expert"], study.stenosis["second_expert"]
    )
    tables = PairTables(lesions, rng)
    tables.add("network_expert", "given", expert, network, ("expert", "network"), everyone)
    match = np.full(n, "matched", object)
    drawn, small = rng.random(n), expert.volume < 40
    match[(drawn < MISSED) & small] = "first_only"
    match[(drawn > 1 - EXTRA) & small] = "second_only"
    tables.add("network_expert", "own", expert, network, ("expert", "network"), everyone, match=match)
    tables.add(
        "expert_expert", "given", expert, second, ("expert", "second_expert"), subsets["expert_expert"]
    )
    reread = partial(_reread, rng)
    repeat = reread(expert, REPEAT, REPEAT_SD, STENOSIS_SD["repeat"])
    tables.add("repeat", "given", expert, repeat, ("expert", "repeat"), subsets["repeat"])
    other = reread(network, CENTRELINE, CENTRELINE_SD, STENOSIS_SD["centreline"])
    tables.add("centreline", "given", network, other, ("centreline_a", "centreline_b"), subsets["centreline"])
    aided = _assisted(rng, network)
    tables.add("assisted", "given", network, aided, ("network", "assisted"), subsets["assisted"])
    ica = _invasive_stenosis(rng, expert)
    tables.add(
        "network_ica",
        "own",
        ica,
        network,
        ("ica", "network"),
        subsets["network_ica"],
        levels=("territory", "patient"),
    )
    result = tables.tables()
    result["territory_pairs"] = _stenosis_only(result["territory_pairs"])
    result["patient_pairs"] = _stenosis_only(result["patient_pairs"])
    ivus = _ivus(rng, lesions, np.flatnonzero(subsets["network_ivus"]))
    result["lesion_pairs"] = pd.concat([result["lesion_pairs"], ivus], ignore_index=True)
    result["segment_grades"] = _segment_grades(
        lesions, subsets["network_ica"], {"clinical": expert, "ica": ica}
    )
    return result, lesions


def _reread(
    rng: np.random.Generator, parts: LesionParts, error: ReadError, sd: float, stenosis_sd: float
) -> LesionParts:
    volume = gamma_read(rng, parts.volume, 0.0, sd)
    stenosis = np.clip(parts.stenosis + rng.normal(0, stenosis_sd, len(volume)), 0, 99.9)
    return other_read(rng, parts, error, volume, stenosis)


def _assisted(rng: np.random.Generator, network: LesionParts) -> LesionParts:
    """A reader who saw the network changes one lesion in four."""
    changed = _reread(rng, network, REPEAT, 40.0, 6.0)
    untouched = rng.random(len(network.volume)) > 0.25
    return LesionParts(
        **{
            name: np.where(untouched, getattr(network, name), getattr(changed, name))
            for name in vars(network)
        }
    )


def _invasive_stenosis(rng: np.random.Generator, expert: LesionParts) -> LesionParts:
    stenosis = np.clip(expert.stenosis + rng.normal(0, ICA_STENOSIS_SD, len(expert.volume)), 0, 100)
    return LesionParts(**{**vars(expert), "stenosis": np.where(stenosis > 99, 100.0, stenosis)})


def _stenosis_only(table: pd.DataFrame) -> pd.DataFrame:
    """Invasive angiography grades stenosis and nothing else."""
    invasive = table["pair"] == "network_ica"
    kept = ("cadrads_", "nondiagnostic_", "diameter_stenosis_")
    for name in table.columns:
        if name.endswith(("_first", "_second")) and not name.startswith(kept):
            table.loc[invasive, name] = np.nan
    return table


def _ivus(rng: np.random.Generator, lesions: Lesions, patients: Index) -> pd.DataFrame:
    """Target lesions with an IVUS pullback: more plaque than the average lesion."""
    counts = np.minimum(1 + rng.poisson(IVUS_LESIONS_PER_PATIENT - 1, len(patients)), 3)
    chosen = np.concatenate(
        [
            np.flatnonzero(lesions.patient == p)[np.argsort(-lesions.parts.volume[lesions.patient == p])][:c]
            for p, c in zip(patients, counts, strict=True)
        ]
    )
    n = len(chosen)
    volume = np.exp(rng.normal(IVUS_LOG_MEAN, IVUS_LOG_SD, n))
    stenosis = np.clip(lesions.parts.stenosis[chosen] + 20, 0, 90)
    ivus = reference_lesions(rng, volume, stenosis)
    read = gamma_read(rng, volume, IVUS_BIAS, IVUS_SD, mean_volume=float(volume.mean()))
    network = other_read(rng, ivus, NETWORK, read, np.clip(stenosis + rng.normal(0, 6, n), 0, 95))
    frame = lesions.frame(chosen)
    frame["match"] = "matched"
    first, second = ivus.measurements(), network.measurements()
    values = {
        f"{name}_{label}": side[name]
        for name in IVUS_METRICS
        for side, label in ((first, "first"), (second, "second"))
    }
    return _identified(
        pd.concat([frame, pd.DataFrame(values)], axis=1), "network_ivus", "given", ("ivus", "network")
    )


def _segment_grades(
    lesions: Lesions, keep: NDArray[np.bool_], reads: Mapping[str, LesionParts]
) -> pd.DataFrame:
    """Worst stenosis per segment in clinical CCTA and ICA."""
    chosen = keep[lesions.patient]
    frames = []
    for kind, parts in reads.items():
        frame = pd.DataFrame(
            {
                "patient": np.asarray(lesions.names, object)[lesions.patient[chosen]],
                "segment": lesions.segment[chosen],
                "territory": lesions.territory[chosen],
                "diameter_stenosis": parts.stenosis[chosen],
            }
        )
        worst = frame.groupby(["patient", "segment", "territory"], sort=True, as_index=False)[
            "diameter_stenosis"
        ].max()
        worst["cadrads"] = cadrads(worst["diameter_stenosis"].to_numpy())
        frames.append(worst.assign(kind=kind, reader={"clinical": "C1", "ica": "I1"}[kind]))
    found: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return found
