"""History as SQL: tables that a projector fills from what the fold does. They can be dropped and rebuilt from the journal at any time."""
