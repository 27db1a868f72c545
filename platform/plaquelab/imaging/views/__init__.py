"""Pages of imaging, one module a topic."""
