"""The model of a park around the exchange: its members, its physics, its day."""
