"""Files of readings: read in chunks, checked whole with every problem by its line, then cut into documents."""
