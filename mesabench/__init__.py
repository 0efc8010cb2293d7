"""mesabench: small worlds in which a trained agent may come to want the wrong thing."""

import os

__version__ = "0.1.0"

# In a checkout `envs/`, `agents/` and `configs/` stand beside this folder, installed they stand inside it. Python
# started in the checkout's root takes this folder even where a wheel is installed, so it must find them there.
_checkout = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.isfile(os.path.join(_checkout, "pyproject.toml")) and os.path.isdir(os.path.join(_checkout, "envs")):
    __path__.append(_checkout)
