"""CT volume in, analysis out: a library with its own command line, without Django."""

import os

__version__ = "0.2.0"

# Threads that wait for one another must sleep, not spin: beside another busy process spinning made a network ten times
# slower on two cores. The OpenMP runtime reads this when torch or numba is first imported; whoever set it is right.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
