"""Manipulations of the market, tried on a set of rules: what each gains its maker, and what it costs the others (docs/gaming.md).

Rooms, low to high: `cast` says who plays the manipulator, `hands` what is done, `suite` is the table of manipulations, `play` plays a seed of it,
`verdicts` judges all seeds, `output` writes them down. Beside them `misreports` asks what a lie about a limit gains among `unit_traders`
(docs/mechanisms.md).
"""
