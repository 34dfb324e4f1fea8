"""Usual orders, compiled from their bytes to command records and from outcomes to answers; orders.py says how they go."""
