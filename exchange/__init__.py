"""The exchange: one order path from bytes to settlement, live and simulated."""
