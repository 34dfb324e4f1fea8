"""Many runs of a scenario: what to play, on which processes, and what may be concluded.

`plan` says which tasks a question needs, `worker` plays one, `processes` and `dask_runner` spread them, `results` keeps what came back, `runner` puts
these together. `analysis` and `robustness` judge, `search`, `sensitivity`, `null` and `compare` ask further questions of the same tasks.
"""
