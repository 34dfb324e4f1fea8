"""Allowances and credits, and the carbon accounts of park and members. Pure functions and folds of documents, integers only, no clock."""
