"""A park-year through the value chain: trades, meters, settlement, certificates, and what verifying and asking for them costs."""
