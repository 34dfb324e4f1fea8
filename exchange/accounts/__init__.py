"""Participants, their roles, permissions and keys."""
