"""What the agents on Stable-Baselines3 share: the vector of environments, the network, the training run."""

import importlib.util

if missing := [name for name in ("torch", "stable_baselines3") if importlib.util.find_spec(name) is None]:
    raise ImportError(
        f"this agent needs {' and '.join(missing)}; install them with: pip install 'mesabench[agents]'"
    )
