"""One module a chart. Each takes runs and gives a `parts.Figure`: plain data that the page's script draws when it comes into view."""
