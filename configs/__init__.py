"""The suites: TOML files that name trials, installed as package data."""

# This folder is the package `mesabench.configs`. From the checkout's root Python would also find it as plain
# `configs`, and then every module in it would exist twice.
if __name__ != "mesabench.configs":
    raise ImportError("import `mesabench.configs`, not `configs`: this folder is a part of the package mesabench")
