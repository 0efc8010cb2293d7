"""Evolution as the base optimiser: population models, selection theory, goals that evolve under watch."""
