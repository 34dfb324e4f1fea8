"""Speed of the laboratory: a day, a year and a sweep of the market designer."""
