"""The steps of an order after the journal: admit, reserve, match, post. Read path.py first: it names them in order."""
