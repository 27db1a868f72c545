"""Drawn pictures for the figure of case panels: a simulated vessel, straightened, curved and in cross-section.

Nothing here was scanned: grey values, lumen, wall and plaque are drawn from a few smooth curves and noise.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CASES = 2
HEIGHT, WIDTH = 240, 120
LUMEN_HU, WALL_HU, FAT_HU, CALCIUM_HU = 400.0, 60.0, -80.0, 900.0
CALCIFIED, NONCALCIFIED = (255, 214, 10), (214, 40, 40)


def simulated_panels(
    rng: np.random.Generator, lesion_pairs: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """Pictures of the two largest lesions of different patients: rows of ``panels`` and the files."""
    given = lesion_pairs[(lesion_pairs["pair"] == "network_expert") & (lesion_pairs["extents"] == "given")]
    largest = given.sort_values("total_plaque_volume_second", ascending=False, kind="stable")
    chosen = largest.drop_duplicates("patient").head(CASES)
    rows, files = [], {}
    for number, (_, case) in enumerate(chosen.iterrows(), start=1):
        share = float(case["calcified_plaque_volume_second"] / case["total_plaque_volume_second"])
        pictures = draw_vessel(rng, stenosis=float(case["diameter_stenosis_second"]), calcified=share)
        for kind, picture in pictures.items():
            name = f"case{number}_{kind}.png"
            files[name] = png(picture)
            rows.append(
                {
                    "file": name,
                    "patient": case["patient"],
                    "vessel": case["vessel"],
                    "lesion": float(case["second_lesion"]),
                    "kind": kind,
                    "caption": f"Simulated drawing, {case['vessel']}, lesion {int(case['second_lesion'])}",
                }
            )
    return pd.DataFrame(rows), files


def draw_vessel(
    rng: np.random.Generator, *, stenosis: float, calcified: float
) -> dict[str, NDArray[np.uint8]]:
    """Three pictures (height, width, 3) of one vessel with a lesion in the middle."""
    along = np.linspace(-1, 1, HEIGHT)[:, None]
    across = np.linspace(-1, 1, WIDTH)[None, :]
    bump = np.exp(-((along / 0.28) ** 2))
    wall = 0.34 - 0.06 * along + 0.05 * bump
    lumen = (0.28 - 0.06 * along) * (1 - stenosis / 100 * bump)
    bend = 0.35 * np.sin(2.2 * along)
    noise = rng.normal(0, 25, (HEIGHT, WIDTH))
    found = {}
    for kind, centre in (("curved_reformation", bend), ("composition_overlay", bend), ("vessel", 0 * bend)):
        distance = np.abs(across - centre)
        plaque = (distance >= lumen) & (distance < wall) & (bump > 0.08)
        calcium = plaque & (across - centre > wall * (1 - 2 * calcified))
        hu = np.where(distance < lumen, LUMEN_HU, np.where(distance < wall, WALL_HU, FAT_HU)) + noise
        hu = np.where(calcium, CALCIUM_HU, hu)
        grey = np.clip((hu + 100) / 900 * 255, 0, 255).astype(np.uint8)
        picture = np.repeat(grey[..., None], 3, axis=2)
        if kind != "curved_reformation":
            picture[plaque] = NONCALCIFIED
            picture[calcium] = CALCIFIED
        found[kind] = picture
    return found


def png(picture: NDArray[np.uint8]) -> bytes:
    """Encode (height, width, 3) as PNG (ISO/IEC 15948), without metadata: same pixels, same bytes."""
    height, width, _ = picture.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
