"""Icebergs: a peak that is shown and a reserve behind it."""

SCENARIOS = {
    "an iceberg rests with its peak": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        left: ask #1 3 of 10 @ 10
    """,
    "a display of all the quantity is an iceberg without a reserve": """
        A sells 3 @ 10 iceberg=3   -> #1 rests 3
        B buys 3 @ 10              -> #2 trades 3 @ 10 with #1
        left: nothing
    """,
    "an iceberg that enters trades with all of its quantity": """
        A sells 8 @ 10             -> #1 rests 8
        B buys 20 @ 10 iceberg=3   -> #2 trades 8 @ 10 with #1; #2 rests 3 of 12
        left: bid #2 3 of 12 @ 10
    """,
    "the last peak is what is left": """
        A sells 8 @ 10             -> #1 rests 8
        B buys 10 @ 10 iceberg=3   -> #2 trades 8 @ 10 with #1; #2 rests 2
        left: bid #2 2 @ 10
    """,
    "a peak used in part is not refilled": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        B buys 2 @ 10              -> #2 trades 2 @ 10 with #1
        left: ask #1 1 of 8 @ 10
    """,
    "a used-up peak goes to the end of its price": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        B sells 4 @ 10             -> #2 rests 4
        C buys 3 @ 10              -> #3 trades 3 @ 10 with #1; #1 refilled 3
        left: ask #2 4 @ 10, ask #1 3 of 7 @ 10
    """,
    "one order meets several peaks": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        B sells 4 @ 10             -> #2 rests 4
        C buys 9 @ 10              -> #3 trades 3 @ 10 with #1; #1 refilled 3; #3 trades 4 @ 10 with #2; #3 trades 2 @ 10 with #1
        left: ask #1 1 of 5 @ 10
    """,
    "one order meets all peaks": """
        A sells 8 @ 10 iceberg=3   -> #1 rests 3 of 8
        C buys 9 @ 10              -> #2 trades 3 @ 10 with #1; #1 refilled 3; #2 trades 3 @ 10 with #1; #1 refilled 2
                                    ; #2 trades 2 @ 10 with #1; #2 rests 1
        left: bid #2 1 @ 10
    """,
    "two icebergs at one price take turns": """
        A sells 5 @ 10 iceberg=2   -> #1 rests 2 of 5
        B sells 5 @ 10 iceberg=2   -> #2 rests 2 of 5
        C buys 7 @ 10              -> #3 trades 2 @ 10 with #1; #1 refilled 2; #3 trades 2 @ 10 with #2; #2 refilled 2
                                    ; #3 trades 2 @ 10 with #1; #1 refilled 1; #3 trades 1 @ 10 with #2
        left: ask #2 1 of 2 @ 10, ask #1 1 @ 10
    """,
    "all peaks of a price come before the next price": """
        A sells 5 @ 10 iceberg=2   -> #1 rests 2 of 5
        B sells 5 @ 11             -> #2 rests 5
        C buys 6 @ 11              -> #3 trades 2 @ 10 with #1; #1 refilled 2; #3 trades 2 @ 10 with #1; #1 refilled 1
                                    ; #3 trades 1 @ 10 with #1; #3 trades 1 @ 11 with #2
        left: ask #2 4 @ 11
    """,
    "fok counts the reserve": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        B buys 5 @ 10 fok          -> #2 trades 3 @ 10 with #1; #1 refilled 3; #2 trades 2 @ 10 with #1
        left: ask #1 1 of 5 @ 10
    """,
    "amend down takes from the reserve first": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        B sells 1 @ 10             -> #2 rests 1
        amend #1 to 4 @ 10         -> #1 reduced 6 amended
        amend #1 to 2 @ 10         -> #1 reduced 2 amended
        left: ask #1 2 @ 10, ask #2 1 @ 10
    """,
    "a peak is a thousandth of the order at least": """
        A buys 1000 @ 10 iceberg=1      -> #1 rests 1 of 1000
        amend #1 to 1001 @ 10           -> rejected display-out-of-range
        amend #1 to 999 @ 10            -> #1 reduced 1 amended
        left: bid #1 1 of 999 @ 10
    """,
    "amend up enters again with its own display": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        B sells 1 @ 10             -> #2 rests 1
        amend #1 to 12 @ 10        -> #1 repriced 10; #1 rests 3 of 12
        left: ask #2 1 @ 10, ask #1 3 of 12 @ 10
    """,
    "amend below the display and up again": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        amend #1 to 2 @ 11         -> #1 repriced 10; #1 rests 2
        amend #1 to 5 @ 11         -> #1 repriced 2; #1 rests 3 of 5
        left: ask #1 3 of 5 @ 11
    """,
    "an amended iceberg trades with all of its quantity": """
        A buys 8 @ 9               -> #1 rests 8
        B sells 10 @ 10 iceberg=3  -> #2 rests 3 of 10
        amend #2 to 11 @ 9         -> #2 repriced 10; #2 trades 8 @ 9 with #1; #2 rests 3
        left: ask #2 3 @ 9
    """,
    "a post-only iceberg": """
        A sells 5 @ 10                             -> #1 rests 5
        B buys 9 @ 10 iceberg=2 post-only          -> #2 cancelled 9 post-only-would-cross
        B buys 9 @ 10 iceberg=2 post-only reprice  -> #3 rests 2 of 9 @ 9
        left: bid #3 2 of 9 @ 9, ask #1 5 @ 10
    """,
    "cancel withdraws the reserve too": """
        A sells 10 @ 10 iceberg=3  -> #1 rests 3 of 10
        cancel #1                  -> #1 cancelled 10 requested
        left: nothing
    """,
}
