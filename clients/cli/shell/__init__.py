"""`parkex shell`: trading by hand. parse.py reads a line, session.py carries it out, show.py draws, prompt.py reads keys, words.py speaks."""
