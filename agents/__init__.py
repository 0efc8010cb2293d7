"""The agents: one file each, found by their file names (`ppo.py` -> `ppo`)."""

# This folder is the package `mesabench.agents`. From the checkout's root Python would also find it as plain
# `agents`, and then every module in it would exist twice.
if __name__ != "mesabench.agents":
    raise ImportError("import `mesabench.agents`, not `agents`: this folder is a part of the package mesabench")
