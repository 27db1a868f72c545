"""CT volume in, analysis out: a library with its own command line, without Django."""

__version__ = "0.1.0"
