"""How well a scanner's calcium can be measured: a scan of a phantom whose calcium is known."""

from inference.qualification.insert import Cylinder, Insert, find_insert
from inference.qualification.measuring import LIMITS, Criterion, MeasuredCylinder, Qualification, qualify

__all__ = [
    "LIMITS",
    "Criterion",
    "Cylinder",
    "Insert",
    "MeasuredCylinder",
    "Qualification",
    "find_insert",
    "qualify",
]
