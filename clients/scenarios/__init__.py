"""Real input of the demo and of users: parks, tariffs, profiles, meters (docs/rules.md, "Tariffs" and "Profiles")."""
