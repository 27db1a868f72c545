"""The commands of ``python -m inference``, one a module: ``add_arguments(parser)`` and ``run(options)``."""
