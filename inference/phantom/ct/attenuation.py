"""How water, iodine and hydroxyapatite weaken each part of a tube's spectrum.

Attenuation: xraylib 4.3 (total cross-section; NIST's elements, Ca₁₀(PO₄)₆(OH)₂), averaged over bins of 10 keV as the photons
of 120 kVp behind 20 cm of water lie in them. Spectra: tungsten, 10° target, of the XCIST project (BSD-3-Clause, copyright
2024 GE Precision HealthCare), behind 3 mm of aluminium more, each photon weighted by its energy as an
energy-integrating detector does, condensed to the same bins. In bins instead of half keV, HU of iodine and
calcium behind 25 cm of water change by 1 % (2 % at 70 kVp).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# cm²/g in bins of 10 keV from 20 to 140 keV
WATER = (0.3995, 0.2886, 0.2407, 0.2133, 0.1987, 0.1879, 0.1800, 0.1737, 0.1684, 0.1642, 0.1593, 0.1556)
IODINE = (9.544, 25.23, 15.56, 9.203, 6.119, 4.177, 3.004, 2.244, 1.734, 1.403, 1.092, 0.9013)
HYDROXYAPATITE = (
    *(2.349, 1.195, 0.7163, 0.4677, 0.3532, 0.2829),
    *(0.2407, 0.2130, 0.1940, 0.1811, 0.1684, 0.1599),
)
APATITE_G_CC = 3.16  # density of hydroxyapatite: what it displaces

# share of the detector's signal in the same bins, by tube voltage
SPECTRA = {
    70: (0.0332, 0.2188, 0.3472, 0.2895, 0.1113),
    80: (0.0213, 0.1563, 0.2773, 0.2893, 0.1971, 0.0587),
    100: (0.0105, 0.0921, 0.1886, 0.2556, 0.2125, 0.1265, 0.0844, 0.0298),
    120: (0.0059, 0.0609, 0.1389, 0.2210, 0.1918, 0.1209, 0.1075, 0.0831, 0.0522, 0.0178),
    140: (
        *(0.0035, 0.0417, 0.1048, 0.2060, 0.1703, 0.1022),
        *(0.1018, 0.0919, 0.0758, 0.0561, 0.0344, 0.0116),
    ),
}
VOLTAGES = tuple(SPECTRA)
REFERENCE_MM = (
    250.0  # of water: where HU of iodine and calcium are those that the scene asks for, a chest's middle
)
STEP_MM = 1.0  # of the water correction's table
MOST_MM = 600.0  # of water: its end


@dataclass(frozen=True)
class Beam:
    """A tube voltage's beam: shares of the signal (bins,), and attenuation in each bin.

    water : 1/mm; iodine : 1/mm per HU of blood (at ``REFERENCE_MM``); calcium : 1/mm per mg hydroxyapatite per cc, in place
    of soft tissue; hu_per_mg_cc, hu_per_mg_ml : HU that 1 mg/cc of hydroxyapatite and 1 mg/ml of iodine add there.
    """

    kvp: int
    share: Array
    water: Array
    iodine: Array
    calcium: Array
    hu_per_mg_cc: float
    hu_per_mg_ml: float

    @property
    def correction(self) -> tuple[float, Array]:
        """Water correction: step of p = −ln(signal), and the mm of water that give 0, 1, 2 … steps."""
        mm = np.arange(-60.0, MOST_MM, STEP_MM)
        p = -np.log((self.share * np.exp(-mm[:, None] * self.water)).sum(1))
        step = 0.01
        wanted = np.arange(0.0, p[-1], step)
        return step, np.interp(wanted, p, mm)


@lru_cache
def beam(kvp: int) -> Beam:
    """Return the beam of a tube voltage. ValueError names those that there are."""
    if kvp not in SPECTRA:
        raise ValueError(f"no spectrum of {kvp} kVp; choose one of {', '.join(map(str, VOLTAGES))}")
    share = np.array(SPECTRA[kvp]) / sum(SPECTRA[kvp])
    n = len(share)
    water, iodine, apatite = (np.array(x[:n]) / 10 for x in (WATER, IODINE, HYDROXYAPATITE))
    hardened = share * np.exp(-REFERENCE_MM * water)
    hardened /= (hardened * water).sum()
    calcium = (apatite - water / APATITE_G_CC) / 1000
    per_ml = 1000 * float((hardened * iodine / 1000).sum())
    return Beam(
        kvp=kvp,
        share=share,
        water=water,
        iodine=iodine / 1000 / per_ml,
        calcium=calcium,
        hu_per_mg_cc=1000 * float((hardened * calcium).sum()),
        hu_per_mg_ml=per_ml,
    )
