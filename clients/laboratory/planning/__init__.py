"""How much each participant wants of each quarter-hour: forecasts less positions, storage, vehicles and load that can be shifted."""
