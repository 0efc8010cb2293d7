"""Which models of evolution there are: the populations that files declare, and those of this room."""

from mesabench import registry
from mesabench.evolution import commons, guard
from mesabench.evolution.model import Model, model_of
from mesabench.suggestion import unknown


def models() -> dict[str, Model]:
    """Every model by name, sorted."""
    found = [*map(model_of, registry.populations().values()), guard.model, commons.model]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def find_model(name: str) -> Model:
    """The model of a name, or of the path of a file that declares a population (whose code runs).

    Raises UnknownNameError, OwnFileError.
    """
    if name.endswith(".py"):
        return model_of(registry.find_population(name))
    if name not in (known := models()):
        raise registry.UnknownNameError(unknown("population model", name, known))
    return known[name]
