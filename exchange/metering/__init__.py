"""Meter readings: validated as whole documents, kept as the fold of those documents."""
