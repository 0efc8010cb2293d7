"""Evolution as the base optimiser: search over genomes, population models, selection theory, goals that evolve under watch."""
