"""The engine as Gymnasium's environments, single and vector."""
