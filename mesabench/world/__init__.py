"""What an environment file is written in: rules, mazes, and the declaration."""
