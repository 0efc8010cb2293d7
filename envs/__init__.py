"""The environments, found by their file names: `cheese_corner.py` is `mesabench/CheeseCorner-v0`."""

# In the checkout's root Python finds this folder as plain `envs` too: each module in it would exist twice.
if __name__ != "mesabench.envs":
    raise ImportError("import `mesabench.envs`, not `envs`: this folder belongs to mesabench")
