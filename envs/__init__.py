"""The environments: one file each, found by their file names (`cheese_corner.py` -> `mesabench/CheeseCorner-v0`)."""

# This folder is the package `mesabench.envs`. From the checkout's root Python would also find it as plain
# `envs`, and then every module in it would exist twice.
if __name__ != "mesabench.envs":
    raise ImportError("import `mesabench.envs`, not `envs`: this folder is a part of the package mesabench")
