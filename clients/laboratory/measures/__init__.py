"""Measures of a run, one family a file; docs/measures.md gives the formula and the source of every key.

    measures.measure(record)                    the flat figures of summary.json
    participants.participant_table(record)      one row a participant
    misreporting.gain_from_misreporting(...)    takes two records

All read a RunRecord and change nothing. What is undefined is None, never NaN.
"""
