"""Everything that is measured of a policy, and the scorecard and verdict that sum it up."""
