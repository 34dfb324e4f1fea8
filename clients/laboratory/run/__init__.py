"""Playing a scenario: the order path on a virtual clock, and the record of what happened."""
