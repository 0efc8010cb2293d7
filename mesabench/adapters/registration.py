"""Environments by their id: what `gymnasium.make` and `gymnasium.make_vec` know."""

import gymnasium

from mesabench import registry
from mesabench.world.environment import Environment


def register(environment: Environment) -> None:
    """Make an environment known to `gymnasium.make` and `gymnasium.make_vec`, one that no file declares as well."""
    lasting = environment.file or registry.environments().get(environment.name) is environment
    gymnasium.registry.pop(environment.id, None)  # of a file that was edited
    gymnasium.register(
        environment.id,
        entry_point="mesabench.adapters.env:GridEnv",
        vector_entry_point="mesabench.adapters.vector:make_vector",
        kwargs={"environment": environment.reference if lasting else environment},
    )


registry.newly_declared.append(register)
