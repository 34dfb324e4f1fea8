"""Instruments, their calendars and trading phases."""
