"""Everything that speaks to the exchange from outside: SDK, bots, simulator, page and command line."""
