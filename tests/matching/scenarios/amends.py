"""Amend in place and amend with loss of priority."""

QUEUE = """
        A buys 5 @ 10              -> #1 rests 5
        B buys 5 @ 10              -> #2 rests 5
        C buys 5 @ 10              -> #3 rests 5
        A sells 5 @ 12             -> #4 rests 5
"""

SCENARIOS = {
    "fewer lots keep the priority": f"""{QUEUE}
        amend #1 to 2 @ 10         -> #1 reduced 3 amended
        left: bid #1 2 @ 10, bid #2 5 @ 10, bid #3 5 @ 10, ask #4 5 @ 12
    """,
    "no change is a reduction by zero": f"""{QUEUE}
        amend #1 to 5 @ 10         -> #1 reduced 0 amended
        left: bid #1 5 @ 10, bid #2 5 @ 10, bid #3 5 @ 10, ask #4 5 @ 12
    """,
    "more lots lose the priority": f"""{QUEUE}
        amend #1 to 6 @ 10         -> #1 repriced 5; #1 rests 6
        left: bid #2 5 @ 10, bid #3 5 @ 10, bid #1 6 @ 10, ask #4 5 @ 12
    """,
    "another price loses the priority": f"""{QUEUE}
        amend #1 to 5 @ 9          -> #1 repriced 5; #1 rests 5
        amend #1 to 5 @ 10         -> #1 repriced 5; #1 rests 5
        left: bid #2 5 @ 10, bid #3 5 @ 10, bid #1 5 @ 10, ask #4 5 @ 12
    """,
    "fewer lots at a better price go first": f"""{QUEUE}
        amend #3 to 2 @ 11         -> #3 repriced 5; #3 rests 2
        left: bid #3 2 @ 11, bid #1 5 @ 10, bid #2 5 @ 10, ask #4 5 @ 12
    """,
    "the new quantity is what remains": f"""{QUEUE}
        D sells 3 @ 10             -> #5 trades 3 @ 10 with #1
        amend #1 to 2 @ 10         -> #1 reduced 0 amended
        amend #1 to 3 @ 10         -> #1 repriced 2; #1 rests 3
        left: bid #2 5 @ 10, bid #3 5 @ 10, bid #1 3 @ 10, ask #4 5 @ 12
    """,
    "into the other side it trades": f"""{QUEUE}
        amend #2 to 7 @ 12         -> #2 repriced 5; #2 trades 5 @ 12 with #4; #2 rests 2
        left: bid #2 2 @ 12, bid #1 5 @ 10, bid #3 5 @ 10
    """,
    "into the other side and used up": f"""{QUEUE}
        amend #2 to 4 @ 13         -> #2 repriced 5; #2 trades 4 @ 12 with #4
        left: bid #1 5 @ 10, bid #3 5 @ 10, ask #4 1 @ 12
    """,
    "an immediate order never rests, so nothing amended ends as one": """
        A sells 5 @ 12             -> #1 rests 5
        B buys 3 @ 10 gate         -> #2 rests 3
        amend #2 to 7 @ 12         -> #2 repriced 3; #2 trades 5 @ 12 with #1; #2 rests 2
        left: bid #2 2 @ 12
    """,
    "with the self-trade prevention of the amend": f"""{QUEUE}
        amend #1 to 6 @ 12 cancel-oldest -> #1 repriced 5; #4 cancelled 5 self-trade; #1 rests 6
        left: bid #1 6 @ 12, bid #2 5 @ 10, bid #3 5 @ 10
    """,
    "into an own order": f"""{QUEUE}
        amend #1 to 5 @ 12         -> #1 repriced 5; #1 cancelled 5 self-trade
        left: bid #2 5 @ 10, bid #3 5 @ 10, ask #4 5 @ 12
    """,
    "post-only into the other side": f"""{QUEUE}
        amend #2 to 5 @ 12 post-only  -> #2 repriced 5; #2 cancelled 5 post-only-would-cross
        left: bid #1 5 @ 10, bid #3 5 @ 10, ask #4 5 @ 12
    """,
    "post-only with reprice": f"""{QUEUE}
        amend #2 to 5 @ 13 post-only reprice -> #2 repriced 5; #2 rests 5 @ 11
        left: bid #2 5 @ 11, bid #1 5 @ 10, bid #3 5 @ 10, ask #4 5 @ 12
    """,
    "post-only means nothing in place": f"""{QUEUE}
        amend #1 to 4 @ 10 post-only reprice  -> #1 reduced 1 amended
        left: bid #1 4 @ 10, bid #2 5 @ 10, bid #3 5 @ 10, ask #4 5 @ 12
    """,
    "a post-only order is an ordinary one once it rests": """
        A buys 5 @ 10 post-only    -> #1 rests 5
        B sells 5 @ 12             -> #2 rests 5
        amend #1 to 6 @ 12         -> #1 repriced 5; #1 trades 5 @ 12 with #2; #1 rests 1
        left: bid #1 1 @ 12
    """,
}
