"""The market designer's laboratory: the same exchange on a virtual clock, populations of agents, measures, sweeps and reports.

Rooms, low to high: `draws` and `statistics` know nothing of a park; `scenario` says what is simulated, `world` what sun, wind, loads and forecasts
do;
`agents` and `planning` decide; `market` turns decisions into commands or clearings; `run` plays days and keeps the record; `benchmark` and `measures`
judge a record; `sweep`, `report`, `gaming`, `reproduce` and `environment` are what a designer asks for.
"""
