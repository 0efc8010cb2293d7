"""mesabench: small worlds in which a trained agent may come to want the wrong thing."""

import os

__version__ = "0.1.0"

# In a checkout `envs/`, `agents/` and `configs/` stand beside this folder, installed they stand inside it.
# Started in the checkout's root, Python takes this folder even where a wheel is installed: it must find them,
# before what follows (E402) is imported.
_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.isfile(f"{_root}/pyproject.toml") and os.path.isdir(f"{_root}/envs"):
    __path__.append(_root)

from mesabench import registry  # noqa: E402
from mesabench.adapters import registration  # noqa: E402
from mesabench.world import mazes  # noqa: E402
from mesabench.world.environment import Environment, Field, Knob, Objective  # noqa: E402
from mesabench.world.oversight import Monitor  # noqa: E402

__all__ = ["Environment", "Field", "Knob", "Monitor", "Objective", "mazes"]

for _environment in registry.environments().values():
    registration.register(_environment)
