"""The agents, found by their file names: `ppo.py` is `ppo`."""

# In the checkout's root Python finds this folder as plain `agents` too: each module in it would exist twice.
if __name__ != "mesabench.agents":
    raise ImportError("import `mesabench.agents`, not `agents`: this folder belongs to mesabench")
