"""The documentation's site: the guides, and the reference of both libraries from their docstrings.

Built by ``make docs`` into var/docs; a warning is an error.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import GenericAlias

import django
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(ROOT / "docs")]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaquelab.config.settings.testing")
django.setup()

from _site import exceptions, reference  # noqa: E402

from inference import __version__  # noqa: E402

project = "Plaquelab"
author = "The Plaquelab developers"
project_copyright = author
version = release = __version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
exclude_patterns = ["_site", "pictures"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
nitpicky = False

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = f"Plaquelab {__version__}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"announcement": "For research use only. Not a medical device."}


def outside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn links that leave docs/ (to a source file) into the file's name: the site carries no sources."""
    source[0] = re.sub(r"\[([^\]]*)\]\(\.\./[^)]+\)", r"\1", source[0])


def elsewhere(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """Leave out what a module only imports or aliases: it is written about where it is defined."""
    if isinstance(obj, GenericAlias):
        return True
    home = str(getattr(obj, "__module__", None) or "inference").split(".")[0]
    return True if isinstance(obj, type) and home not in reference.LIBRARIES else None


def setup(app: Sphinx) -> None:
    """Register what this site has of its own."""
    reference.write(ROOT / "docs" / "reference")
    app.connect("source-read", outside)
    app.connect("autodoc-skip-member", elsewhere)
    app.add_directive("exception-tree", exceptions.ExceptionTree)
