"""What happens between batches of the compiled loop: the operator's documents and the trades that meet in no book.

Documents are listed in `handlers.py`; each checks everything first and changes nothing when it refuses (`rules.py`). `listing.py` lets participants
and instruments into the arrays and out of them, `settle.py` settles a day. Block trades and one-way auctions (`block_trades.py`,
`one_way_auctions.py`) hold and post by `direct_trades.py`; `units_control.py` has the compiled changes that the others make.
"""
