"""What an ideal market would have done: the crossing of curves of single periods, and one welfare program over the periods that storage couples."""
