"""The first family of phantoms: six to nine main vessels on a grid cropped to them, one header style, no artefacts.

Quick to draw, so that tests and the demonstration use it, and networks began on it; ``inference.phantom.patient`` draws
whole trees. Vessel walls, lesions and tissue are those of all phantoms.
"""
