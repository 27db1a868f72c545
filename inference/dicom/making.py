"""Who made a segmentation or a report, when, and under which UIDs."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from highdicom import AlgorithmIdentificationSequence, ContentQualificationValues, SOPClass
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import AlgorithmIdentification
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from inference import __version__
from inference.dicom.codes import SCHEME, SCHEME_NAME, SCHEME_VERSION
from inference.scan import SourceSeries

MANUFACTURER = "Plaquelab"
MODEL = "Plaquelab inference"
RESEARCH = "For research use only"
LEARNT = Code("123110", "DCM", "Artificial Intelligence")


@dataclass(frozen=True)
class Making:
    """What made the objects of one export.

    Parameters
    ----------
    network : name of the network. weights_sha256 : hash of its weights.
    code_version : of the code that measured (``inference.code_version``); empty where nobody kept it.
    parameters : what else changes the numbers (profile, hashes of volume and settings).
    content_sha256 : hash of all contours, so that another content has other UIDs.
    series_uid : the CT series. automatic : whether no person drew any contour.
    created : date and time of the export.
    """

    network: str
    weights_sha256: str
    parameters: Mapping[str, str]
    content_sha256: str
    series_uid: str
    code_version: str = ""
    automatic: bool = True
    created: dt.datetime = field(default_factory=dt.datetime.now)

    @property
    def name(self) -> str:
        """The algorithm's name."""
        return f"{MANUFACTURER} {self.network}"[:64]

    @property
    def values(self) -> dict[str, str]:
        """The algorithm's parameters, the hash of its weights and the version of the measuring code first."""
        code = {"code_version": self.code_version} if self.code_version else {}
        return {"weights_sha256": self.weights_sha256, **code, **self.parameters}

    def uid(self, *what: object) -> str:
        """Return a UID that depends on series, content, time and ``what`` alone."""
        said = json.dumps([self.series_uid, self.content_sha256, self.created.isoformat(), self.values])
        return str(generate_uid(entropy_srcs=[hashlib.sha256(said.encode()).hexdigest(), *map(str, what)]))

    def for_segment(self) -> AlgorithmIdentificationSequence:
        """Return the algorithm as a segmentation names it."""
        return AlgorithmIdentificationSequence(
            name=self.name, family=LEARNT, version=__version__, source=MANUFACTURER, parameters=self.values
        )

    def for_report(self) -> AlgorithmIdentification:
        """Return the algorithm as a report names it (TID 4019)."""
        return AlgorithmIdentification(
            name=self.name, version=__version__, parameters=[f"{k}={v}" for k, v in self.values.items()]
        )


def describe(source: SourceSeries, what: str) -> str:
    """Return a description of at most 64 characters: what it is, for research, and whether it is simulated."""
    return f"{'SIMULATED ' if source.simulated else ''}{what} ({RESEARCH.lower()})"[:64]


def new_object(
    source: SourceSeries, making: Making, *, sop_class: str, modality: str, what: str, number: int
) -> SOPClass:
    """Return an object of the CT's study with a series of its own: identity, equipment, coding scheme; no content."""
    made = SOPClass(
        study_instance_uid=source.study_uid,
        series_instance_uid=making.uid(modality, "series"),
        series_number=number,
        sop_instance_uid=making.uid(modality, "instance"),
        sop_class_uid=sop_class,
        instance_number=1,
        modality=modality,
        manufacturer=MANUFACTURER,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        content_qualification=ContentQualificationValues.RESEARCH,
        coding_schemes=[
            CodingSchemeIdentificationItem(
                SCHEME,
                name=SCHEME_NAME,
                version=SCHEME_VERSION,
                responsible_organization=MANUFACTURER,
            )
        ],
        series_description=describe(source, what),
        manufacturer_model_name=MODEL,
        software_versions=__version__,
        device_serial_number=making.weights_sha256[:16],
        content_date=making.created.date(),
        content_time=making.created.time(),
        series_date=making.created.date(),
        series_time=making.created.time(),
    )
    if making.code_version:
        made.add_new("SoftwareVersions", "LO", [__version__, making.code_version])
    made.InstanceCreationDate, made.InstanceCreationTime = made.ContentDate, made.ContentTime
    made.SpecificCharacterSet = "ISO_IR 192"
    made.update(source.identity)
    return made


def image_reference(uid: str) -> Dataset:
    """Return a reference to one CT image."""
    out = Dataset()
    out.ReferencedSOPClassUID = CTImageStorage
    out.ReferencedSOPInstanceUID = uid
    return out
