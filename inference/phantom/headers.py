"""Header styles of four vendors: what differs between their CT series and must not matter to a reader.

Kernel names (a single or a multi-valued ``ConvolutionKernel``), rescale intercept, bits and sign, padding outside the
field of view, slice order, number formats, file names. No private tags; every series stays plainly simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from inference.scan import Volume

AIR_HU = -1024


@dataclass(frozen=True)
class HeaderStyle:
    """One vendor's habits. ``kernels`` go from soft to sharp; ``padding`` is the stored value outside the field."""

    name: str
    manufacturer: str
    models: tuple[str, ...]
    software: str
    kernels: tuple[tuple[str, ...], ...]
    intercept: int
    bits: int
    signed: bool
    padding: int | None
    decimals: int
    file_name: str
    scan_options: str
    filter_type: str
    series: str
    head_first_share: float
    prone_share: float = 0.0

    def __post_init__(self) -> None:
        low, high = (
            (-(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1) if self.signed else (0, 2**self.bits - 1)
        )
        if AIR_HU - self.intercept < low or 3071 - self.intercept > high:
            raise ValueError(f"{self.name}: −1024 … 3071 HU do not fit {self.bits} bits")


STYLES = {
    s.name: s
    for s in (
        HeaderStyle(
            name="GE",
            manufacturer="GE MEDICAL SYSTEMS",
            models=("Revolution CT", "Revolution Apex", "Discovery CT750 HD"),
            software="revo_ct_22bc.50",
            kernels=(("STANDARD",), ("HD STANDARD",), ("DETAIL",)),
            intercept=-1024,
            bits=16,
            signed=True,
            padding=-2000,
            decimals=4,
            file_name="i{sequence:06d}.CTDC.{instance}",
            scan_options="CARDIAC GATED",
            filter_type="BODY FILTER",
            series="SIMULATED SNAPSHOT 75%",
            head_first_share=0.3,
        ),
        HeaderStyle(
            name="Siemens",
            manufacturer="SIEMENS",
            models=("SOMATOM Force", "SOMATOM Definition Flash", "SOMATOM Drive"),
            software="VA50A_SP5",
            kernels=(("Bv36d", "3"), ("Bv40d", "3"), ("Bv44d", "4")),
            intercept=-1024,
            bits=12,
            signed=False,
            padding=None,
            decimals=9,
            file_name="SIM.CT.0002.{instance:04d}.IMA",
            scan_options="HELIX",
            filter_type="FLAT",
            series="SIMULATED DS_CorCTA 0.6 BestDiast 70 %",
            head_first_share=0.8,
        ),
        HeaderStyle(
            name="Philips",
            manufacturer="Philips",
            models=("iCT 256", "Brilliance 64", "Spectral CT 7500"),
            software="4.1.10",
            kernels=(("XCA",), ("XCB",), ("XCC",)),
            intercept=-1024,
            bits=12,
            signed=False,
            padding=None,
            decimals=6,
            file_name="IM_{instance:04d}",
            scan_options="HELIX",
            filter_type="IDOSE4",
            series="SIMULATED CTA 75% Phase",
            head_first_share=0.9,
            prone_share=0.1,
        ),
        HeaderStyle(
            name="Canon",
            manufacturer="CANON_MEDICAL",
            models=("Aquilion ONE", "Aquilion PRIME SP"),
            software="V8.80SP0009",
            kernels=(("FC03",), ("FC08",), ("FC43",)),
            intercept=0,
            bits=16,
            signed=True,
            padding=None,
            decimals=5,
            file_name="IM-0001-{instance:04d}.dcm",
            scan_options="VOLUME",
            filter_type="LARGE",
            series="SIMULATED CTA BestPhase 74 %",
            head_first_share=0.6,
        ),
    )
}


@dataclass(frozen=True)
class Header:
    """A style as drawn for one series: the model, kernel, slice order and posture; ``exposure`` mAs."""

    style: HeaderStyle
    model: str
    kernel: tuple[str, ...]
    kvp: int
    exposure: int
    from_head: bool
    prone: bool

    @property
    def metadata(self) -> dict[str, object]:
        """What ``inference.scan.series`` will say about the series."""
        return {
            "manufacturer": self.style.manufacturer,
            "model": self.model,
            "kernel": "\\".join(self.kernel),
            "kvp": self.kvp,
        }


def draw_header(
    rng: np.random.Generator, *, vendors: tuple[str, ...], kvp: int, overshoot: float, noise_hu: float
) -> Header:
    """Draw one series' header; sharper images name sharper kernels, noisier ones a lower exposure."""
    style = STYLES[str(rng.choice(list(vendors)))]
    sharp = int(np.digitize(overshoot, [0.0, 0.2]))
    return Header(
        style=style,
        model=str(rng.choice(style.models)),
        kernel=style.kernels[sharp],
        kvp=kvp,
        exposure=int(np.clip(150 * (28.0 / noise_hu) ** 2, 12, 600)),
        from_head=bool(rng.random() < style.head_first_share),
        prone=bool(rng.random() < style.prone_share),
    )


def _text(value: float, decimals: int) -> str:
    """A DS value of at most 16 characters."""
    return f"{value:.{decimals}f}"[:16]


def file_name(header: Header, *, instance: int, slices: int) -> str:
    """The name of one image's file; its order says nothing about the slice order."""
    return header.style.file_name.format(
        instance=instance, sequence=350000 + (instance * 7919) % (slices + 7)
    )


def instance_number(header: Header, *, k: int, slices: int) -> int:
    """The image number of slice ``k`` (counted from the feet)."""
    return slices - k if header.from_head else k + 1


def apply_header(
    dataset: Dataset, header: Header, *, volume: Volume, k: int, outside: NDArray[np.bool_] | None
) -> None:
    """Put slice ``k`` (from the feet) into ``dataset`` as this vendor would; ``outside`` the field of view is air."""
    style, plane = header.style, volume.hu[k].astype(np.int32)
    affine = volume.affine
    spacing = [float(x) for x in volume.spacing_mm]
    rows, columns = plane.shape
    dataset.Manufacturer, dataset.ManufacturerModelName = style.manufacturer, header.model
    dataset.SoftwareVersions = style.software
    dataset.SeriesDescription = style.series
    dataset.ConvolutionKernel = list(header.kernel) if len(header.kernel) > 1 else header.kernel[0]
    dataset.FilterType, dataset.ScanOptions = style.filter_type, style.scan_options
    dataset.KVP = str(header.kvp)
    dataset.Exposure = header.exposure
    dataset.ExposureTime = 250
    dataset.XRayTubeCurrent = header.exposure * 4
    dataset.GantryDetectorTilt, dataset.TableHeight = "0", _text(150.0, min(style.decimals, 4))
    dataset.RotationDirection = "CW"
    position = affine[:3, 3] + k * affine[:3, 2]
    orientation = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    if header.prone:
        plane = plane[::-1, ::-1]
        position = position + (columns - 1) * affine[:3, 0] + (rows - 1) * affine[:3, 1]
        orientation = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0]
    dataset.PatientPosition = "HFP" if header.prone else "HFS"
    dataset.ImagePositionPatient = [_text(float(x), style.decimals) for x in position]
    dataset.ImageOrientationPatient = [_text(x, min(style.decimals, 6)) for x in orientation]
    dataset.SliceLocation = _text(float(position[2]), min(style.decimals, 6))
    dataset.SliceThickness = _text(spacing[2], min(style.decimals, 6))
    dataset.SpacingBetweenSlices = _text(spacing[2], min(style.decimals, 6))
    dataset.PixelSpacing = [_text(spacing[1], style.decimals), _text(spacing[0], style.decimals)]
    dataset.InstanceNumber = instance_number(header, k=k, slices=len(volume.hu))
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, style.bits, style.bits - 1
    dataset.PixelRepresentation = int(style.signed)
    dataset.RescaleIntercept, dataset.RescaleSlope = str(style.intercept), "1"
    stored = plane - style.intercept
    if style.padding is not None and outside is not None:
        stored[outside] = style.padding
        dataset.add_new("PixelPaddingValue", "SS" if style.signed else "US", style.padding)
    dataset.PixelData = stored.astype("<i2" if style.signed else "<u2").tobytes()
