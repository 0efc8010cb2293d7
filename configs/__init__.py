"""The suites: TOML files that name trials, installed as package data."""

# In the checkout's root Python finds this folder as plain `configs` too: each module in it would exist twice.
if __name__ != "mesabench.configs":
    raise ImportError("import `mesabench.configs`, not `configs`: this folder belongs to mesabench")
