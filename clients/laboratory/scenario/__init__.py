"""What is simulated: a resolved scenario, its file format, and its check."""
