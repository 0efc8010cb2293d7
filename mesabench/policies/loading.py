"""How a policy is found by name: in a file or a package of one's own, or in the folder that it was stored in."""

import json
from pathlib import Path
from typing import Any

from mesabench import ownfile, registry
from mesabench.policies.policy import PolicyError

POLICY_FILE, WEIGHTS_FILE = "policy.json", "weights.safetensors"


def load_policy(name: str) -> Any:
    """The policy that a name stands for; raises PolicyError, which says what is missing.

    name: `package.module:object`, `path/to/file.py:object`, or a folder that a policy was saved to (a
        trial's). A module of the current folder is found too. A class is called without arguments to make the
        policy.

    Naming a module runs its code; a folder's contents never execute.
    """
    path = Path(name)
    if path.is_dir():
        return _saved(path)
    where, colon, attribute = name.rpartition(":")
    if not colon or not where or not attribute:
        raise PolicyError(
            f"no policy {name!r}: not a folder; a policy is named package.module:object, "
            "path/to/file.py:object or by the folder of a trial"
        )
    try:
        where, policy = ownfile.named_object(name, "policy")
    except ownfile.OwnFileError as error:
        raise PolicyError(str(error)) from error
    if isinstance(policy, type):
        try:
            policy = policy()
        except Exception as error:  # it is somebody's own code
            raise PolicyError(
                f"{name}: a class is called without arguments to make the policy, and this one refused: "
                f"{ownfile.told(error) or error}; name an instance instead"
            ) from error
    if not callable(policy):
        raise PolicyError(
            f"{name} is no policy: it must be callable with a batch of observations; it is a value of type "
            f"{type(policy).__name__}"
        )
    return policy


def read_saved(folder: Path) -> dict[str, Any]:
    """The contents of a folder's `policy.json`. Raises PolicyError where there is none or it is damaged."""
    file = Path(folder) / POLICY_FILE
    try:
        description = json.loads(file.read_bytes())  # of bytes it takes a byte-order mark, too
    except FileNotFoundError as error:
        raise PolicyError(f"{folder} holds no saved policy: there is no {POLICY_FILE} in it") from error
    except (OSError, ValueError) as error:
        raise PolicyError(f"{file} is damaged: {error}") from error
    if not isinstance(description, dict) or not isinstance(description.get("agent"), str):
        raise PolicyError(f'{file} is damaged: it must be an object with "agent", the name of an agent')
    return description


def _saved(folder: Path) -> Any:
    name = read_saved(folder)["agent"]
    try:
        agent = registry.known_agent(name)
    except registry.UnknownNameError as error:
        raise PolicyError(f"{folder}: {error}") from error
    return agent.load(folder)
