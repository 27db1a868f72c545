"""The freeze: a study's tables at one moment, dated, hashed and described, from which every analysis starts.

A freeze is a folder:

* ``manifest.json``: what it is (study, date, settings, versions), the SHA-256 of every other file, and a hash over all;
* ``dictionary.json``: every table and column with type, unit and meaning;
* one Parquet file per table;
* ``panels/``: pictures of single cases, where the study gave any.

The same content gives the same bytes. ``python -m analytics dictionary`` prints the tables and columns.
"""

from analytics.freeze.manifest import About
from analytics.freeze.pairs import PAIRS, Pair
from analytics.freeze.reading import Freeze, read_freeze
from analytics.freeze.schema import TABLES, Column, TableSchema
from analytics.freeze.writing import write_freeze

__all__ = [
    "PAIRS",
    "TABLES",
    "About",
    "Column",
    "Freeze",
    "Pair",
    "TableSchema",
    "read_freeze",
    "write_freeze",
]
