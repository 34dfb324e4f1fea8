"""Settlement of delivered power against the meters: pure functions that the fold calls, integers only, no clock."""
