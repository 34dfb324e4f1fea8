"""The journal: the one durable truth. State is the fold of its commands and of nothing else."""
