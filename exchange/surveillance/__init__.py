"""Surveillance of the market: a fold of the event stream that finds what a person should look at. It writes nothing and never acts on the market."""
