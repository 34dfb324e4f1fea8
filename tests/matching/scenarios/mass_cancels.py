"""Mass cancel by owner, book, side and label."""

# Orders of A in two books, in the ladder and beside it, and one of B.
ORDERS = """
        A buys 1 @ 10 label=7               -> #1 rests 1
        A sells 2 @ 20                      -> #2 rests 2
        A buys 3 @ 10 book=1                -> #3 rests 3
        B buys 4 @ 10 label=7               -> #4 rests 4
        A buys 5 @ 10 all-or-none label=7   -> #5 waits 5
        A sells 6 @ 9 stop=8                -> #6 waits 6
        A sells 7 @ 20 iceberg=2 label=7 book=1 -> #7 rests 2 of 7
"""

SCENARIOS = {
    "all orders of the owner, wherever they stand, by ascending id": f"""{ORDERS}
        mass cancel A              -> #1 cancelled 1 requested; #2 cancelled 2 requested; #3 cancelled 3 requested
                                    ; #5 cancelled 5 requested; #6 cancelled 6 requested; #7 cancelled 7 requested
        left: bid #4 4 @ 10
        left 1: nothing
    """,
    "by book": f"""{ORDERS}
        mass cancel A book=1       -> #3 cancelled 3 requested; #7 cancelled 7 requested
        left: bid #1 1 @ 10, bid #4 4 @ 10, ask #2 2 @ 20, waiting bid #5 5 @ 10 min 5, stop ask #6 6 @ 9 at 8
        left 1: nothing
    """,
    "by side": f"""{ORDERS}
        mass cancel A sell         -> #2 cancelled 2 requested; #6 cancelled 6 requested; #7 cancelled 7 requested
        left: bid #1 1 @ 10, bid #4 4 @ 10, waiting bid #5 5 @ 10 min 5
        left 1: bid #3 3 @ 10
    """,
    "by label": f"""{ORDERS}
        mass cancel A label=7      -> #1 cancelled 1 requested; #5 cancelled 5 requested; #7 cancelled 7 requested
        left: bid #4 4 @ 10, ask #2 2 @ 20, stop ask #6 6 @ 9 at 8
        left 1: bid #3 3 @ 10
    """,
    "by label 0, that of orders without one": f"""{ORDERS}
        mass cancel A label=0 buy  -> #3 cancelled 3 requested
        left: bid #1 1 @ 10, bid #4 4 @ 10, ask #2 2 @ 20, waiting bid #5 5 @ 10 min 5, stop ask #6 6 @ 9 at 8
        left 1: ask #7 2 of 7 @ 20
    """,
    "by book, side and label": f"""{ORDERS}
        mass cancel A book=1 sell label=7 -> #7 cancelled 7 requested
        left 1: bid #3 3 @ 10
    """,
    "fields without their bit do not filter": f"""{ORDERS}
        mass cancel A sell label:=99 book:=-5 -> #2 cancelled 2 requested; #6 cancelled 6 requested; #7 cancelled 7 requested
        left 1: bid #3 3 @ 10
    """,
    "one that meets no order writes nothing": f"""{ORDERS}
        mass cancel C              -> nothing
        mass cancel A label=8      -> nothing
        mass cancel A book=2       -> nothing
        mass cancel Z              -> nothing
        left 1: bid #3 3 @ 10, ask #7 2 of 7 @ 20
    """,
    "an amended order keeps its place and its label": f"""{ORDERS}
        amend #1 to 9 @ 9          -> #1 repriced 1; #1 rests 9
        mass cancel A label=7 buy  -> #1 cancelled 9 requested; #5 cancelled 5 requested
        left 1: bid #3 3 @ 10, ask #7 2 of 7 @ 20
    """,
    "an order that waited keeps its place when it comes to rest": """
        A buys 4 @ 10 minimum=2    -> #1 waits 4
        A buys 5 @ 9               -> #2 rests 5
        B sells 2 @ 10             -> #3 trades 2 @ 10 with #1; #1 rests 2
        mass cancel A              -> #1 cancelled 2 requested; #2 cancelled 5 requested
        left: nothing
    """,
}
