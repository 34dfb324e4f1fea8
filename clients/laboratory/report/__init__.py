"""What runs and sweeps came to, as one HTML file for people: Chinese and English, offline, on a desk or a telephone.

`inputs` reads folders and says what differs, `answer` writes three sentences by rules, `figures` draws, `page` puts it together. All words are in
`wording`; what comes from a file is escaped where it enters HTML (`markup`) or a chart (`figures.parts`).
"""
