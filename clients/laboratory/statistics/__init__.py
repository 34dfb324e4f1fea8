"""Statistics of simulations: samples of numbers in, intervals and verdicts out. Knows nothing of a park.

    intervals       Student's t, bootstrap, paired differences, smallest detectable effect
    comparisons     Holm's adjustment, share of false alarms of a null test, signs over populations
    warm_up         what of a series to drop (MSER-5)
    draws           counter-based draws for resampling
"""
