"""What sun, wind, loads and forecasts do on each day of a scenario, whatever the rules of the market are."""
