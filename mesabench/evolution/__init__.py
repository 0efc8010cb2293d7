"""Evolution: populations, what they inherit, and what selection makes of them."""
