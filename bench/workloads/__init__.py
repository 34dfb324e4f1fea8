"""Order streams: files in the standard layout, and generators of other shapes."""
