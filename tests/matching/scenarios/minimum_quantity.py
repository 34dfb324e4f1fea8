"""Minimum quantity and all-or-none: orders that wait beside the ladder and never block anybody."""

SCENARIOS = {
    "a minimum that is there trades, the rest is an ordinary order": """
        A sells 5 @ 10                 -> #1 rests 5
        B buys 8 @ 10 minimum=5        -> #2 trades 5 @ 10 with #1; #2 rests 3
        C sells 1 @ 10                 -> #3 trades 1 @ 10 with #2
        left: bid #2 2 @ 10
    """,
    "a minimum that is not there waits": """
        A sells 4 @ 10                 -> #1 rests 4
        B buys 8 @ 10 minimum=5        -> #2 waits 8
        left: ask #1 4 @ 10, waiting bid #2 8 @ 10 min 5
    """,
    "an immediate one ends": """
        A sells 4 @ 10                 -> #1 rests 4
        B buys 8 @ 10 minimum=5 ioc    -> #2 cancelled 8 minimum-unfillable
        left: ask #1 4 @ 10
    """,
    "an immediate one trades at least its minimum": """
        A sells 6 @ 10                 -> #1 rests 6
        B buys 8 @ 10 minimum=5 ioc    -> #2 trades 6 @ 10 with #1; #2 cancelled 2 immediate-remainder
        left: nothing
    """,
    "all-or-none trades whole": """
        A sells 5 @ 10                 -> #1 rests 5
        C sells 5 @ 11                 -> #2 rests 5
        B buys 8 @ 11 all-or-none      -> #3 trades 5 @ 10 with #1; #3 trades 3 @ 11 with #2
        left: ask #2 2 @ 11
    """,
    "all-or-none waits with a minimum of all": """
        A sells 5 @ 10                 -> #1 rests 5
        B buys 8 @ 10 all-or-none      -> #2 waits 8
        left: ask #1 5 @ 10, waiting bid #2 8 @ 10 min 8
    """,
    "all-or-none and immediate": """
        A sells 5 @ 10                 -> #1 rests 5
        B buys 8 @ 10 all-or-none ioc  -> #2 cancelled 8 minimum-unfillable
        B buys 5 @ 10 all-or-none ioc  -> #3 trades 5 @ 10 with #1
        left: nothing
    """,
    "one that waits never blocks a smaller order": """
        A buys 8 @ 12 all-or-none      -> #1 waits 8
        B buys 2 @ 10                  -> #2 rests 2
        C sells 3 @ 10                 -> #3 trades 2 @ 10 with #2; #3 rests 1
        left: ask #3 1 @ 10, waiting bid #1 8 @ 12 min 8
    """,
    "an entering order trades with one that waits": """
        A sells 8 @ 10 minimum=5       -> #1 waits 8
        B buys 8 @ 11                  -> #2 trades 8 @ 10 with #1
        left: nothing
    """,
    "one that is met and not used up comes to rest": """
        A sells 8 @ 10 minimum=5       -> #1 waits 8
        B sells 1 @ 10                 -> #2 rests 1
        C buys 7 @ 11                  -> #3 trades 1 @ 10 with #2; #3 trades 6 @ 10 with #1; #1 rests 2
        left: ask #1 2 @ 10
    """,
    "one that is met enters with its remainder and trades with what was too little for its minimum": """
        A sells 1 @ 10                 -> #1 rests 1
        B buys 6 @ 10 minimum=3        -> #2 waits 6
        C sells 3 @ 10                 -> #3 trades 3 @ 10 with #2; #2 trades 1 @ 10 with #1; #2 rests 2
        left: bid #2 2 @ 10
    """,
    "that remainder may be used up": """
        A sells 2 @ 9                  -> #1 rests 2
        B buys 4 @ 10 minimum=3        -> #2 waits 4
        C sells 3 @ 10                 -> #3 trades 3 @ 10 with #2; #2 trades 1 @ 9 with #1
        left: ask #1 1 @ 9
    """,
    "that remainder prevents its own self-trades": """
        A sells 2 @ 9                  -> #1 rests 2
        A buys 5 @ 10 minimum=3        -> #2 waits 5
        C sells 3 @ 10                 -> #3 trades 3 @ 10 with #2; #2 cancelled 2 self-trade
        left: ask #1 2 @ 9
    """,
    "that remainder may meet one that waits": """
        A sells 2 @ 10 all-or-none     -> #1 waits 2
        B buys 5 @ 10 minimum=3        -> #2 waits 5
        C sells 3 @ 10                 -> #3 trades 3 @ 10 with #2; #2 trades 2 @ 10 with #1
        left: nothing
    """,
    "at one price the ladder comes first": """
        A sells 5 @ 10 minimum=5       -> #1 waits 5
        B sells 5 @ 10                 -> #2 rests 5
        C buys 6 @ 10                  -> #3 trades 5 @ 10 with #2; #3 rests 1
        left: bid #3 1 @ 10, waiting ask #1 5 @ 10 min 5
    """,
    "a better price comes before the ladder": """
        A sells 5 @ 9 minimum=5        -> #1 waits 5
        B sells 5 @ 10                 -> #2 rests 5
        C buys 6 @ 10                  -> #3 trades 5 @ 9 with #1; #3 trades 1 @ 10 with #2
        left: ask #2 4 @ 10
    """,
    "all peaks of an iceberg come before those that wait at its price": """
        A sells 4 @ 10 minimum=2       -> #1 waits 4
        B sells 5 @ 10 iceberg=3       -> #2 rests 3 of 5
        C buys 7 @ 10                  -> #3 trades 3 @ 10 with #2; #2 refilled 2; #3 trades 2 @ 10 with #2; #3 trades 2 @ 10 with #1; #1 rests 2
        left: ask #1 2 @ 10
    """,
    "those that wait are met by price and time": """
        A sells 2 @ 11 all-or-none     -> #1 waits 2
        A sells 2 @ 10 all-or-none     -> #2 waits 2
        B sells 2 @ 10 all-or-none     -> #3 waits 2
        C buys 6 @ 11                  -> #4 trades 2 @ 10 with #2; #4 trades 2 @ 10 with #3; #4 trades 2 @ 11 with #1
        left: nothing
    """,
    "one whose minimum is too much is passed over": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        B sells 3 @ 10 all-or-none     -> #2 waits 3
        C buys 4 @ 10                  -> #3 trades 3 @ 10 with #2; #3 rests 1
        left: bid #3 1 @ 10, waiting ask #1 5 @ 10 min 5
    """,
    "what is left decides, not what it came with": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        B sells 3 @ 9                  -> #2 rests 3
        C buys 7 @ 10                  -> #3 trades 3 @ 9 with #2; #3 rests 4
        left: bid #3 4 @ 10, waiting ask #1 5 @ 10 min 5
    """,
    "fok trades with one that waits": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        B sells 3 @ 10                 -> #2 rests 3
        C buys 7 @ 10 fok              -> #3 cancelled 7 fill-or-kill-unfillable
        C buys 8 @ 10 fok              -> #4 trades 3 @ 10 with #2; #4 trades 5 @ 10 with #1
        left: nothing
    """,
    "two that wait fit each other": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        B buys 5 @ 10 all-or-none      -> #2 trades 5 @ 10 with #1
        left: nothing
    """,
    "an order that comes to rest completes one that waits": """
        A buys 8 @ 10 all-or-none      -> #1 waits 8
        B sells 5 @ 10                 -> #2 rests 5
        C sells 4 @ 9                  -> #3 rests 4; #1 trades 4 @ 9 with #3; #1 trades 4 @ 10 with #2
        left: ask #2 1 @ 10
    """,
    "the remainder of one that waited rests": """
        A buys 9 @ 10 minimum=6        -> #1 waits 9
        B sells 5 @ 10                 -> #2 rests 5
        C sells 1 @ 10                 -> #3 rests 1; #1 trades 5 @ 10 with #2; #1 trades 1 @ 10 with #3; #1 rests 3
        left: bid #1 3 @ 10
    """,
    "buy orders are tried first, then sell orders": """
        A sells 3 @ 10 all-or-none     -> #1 waits 3
        B sells 5 @ 9                  -> #2 rests 5
        C buys 6 @ 9 all-or-none       -> #3 waits 6
        D sells 1 @ 9                  -> #4 rests 1; #3 trades 5 @ 9 with #2; #3 trades 1 @ 9 with #4
        left: waiting ask #1 3 @ 10 min 3
    """,
    "they are tried by price and time": """
        A buys 4 @ 9 all-or-none       -> #1 waits 4
        B buys 4 @ 10 all-or-none      -> #2 waits 4
        C buys 4 @ 10 all-or-none      -> #3 waits 4
        D sells 3 @ 8                  -> #4 rests 3
        D sells 7 @ 9                  -> #5 trades 4 @ 10 with #2; #5 rests 3; #3 trades 3 @ 8 with #4; #3 trades 1 @ 9 with #5
        left: ask #5 2 @ 9, waiting bid #1 4 @ 9 min 4
    """,
    "one that cannot is passed over for one that can": """
        A buys 9 @ 10 all-or-none      -> #1 waits 9
        B buys 6 @ 10 all-or-none      -> #2 waits 6
        C sells 3 @ 10                 -> #3 rests 3
        C sells 3 @ 10                 -> #4 rests 3; #2 trades 3 @ 10 with #3; #2 trades 3 @ 10 with #4
        left: waiting bid #1 9 @ 10 min 9
    """,
    "one lot lets two that wait trade with each other": """
        A sells 6 @ 10 all-or-none     -> #1 waits 6
        B buys 9 @ 10 minimum=7        -> #2 waits 9
        C sells 1 @ 10                 -> #3 rests 1; #2 trades 1 @ 10 with #3; #2 trades 6 @ 10 with #1; #2 rests 2
        left: bid #2 2 @ 10
    """,
    "the remainder of one that was met completes another": """
        A buys 8 @ 10 minimum=5        -> #1 waits 8
        B sells 3 @ 10 all-or-none     -> #2 waits 3
        C sells 5 @ 10                 -> #3 trades 5 @ 10 with #1; #1 trades 3 @ 10 with #2
        left: nothing
    """,
    "a cascade over both sides": """
        A buys 8 @ 10 minimum=4        -> #1 waits 8
        B sells 7 @ 10 all-or-none     -> #2 trades 7 @ 10 with #1; #1 rests 1
        C sells 4 @ 10 all-or-none     -> #3 waits 4
        D buys 3 @ 10                  -> #4 rests 3; #3 trades 1 @ 10 with #1; #3 trades 3 @ 10 with #4
        left: nothing
    """,
    "another that waits does not make them be tried": """
        A sells 10 @ 10 all-or-none    -> #1 waits 10
        B buys 6 @ 10                  -> #2 rests 6
        C buys 4 @ 10 minimum=4        -> #3 waits 4
        D buys 1 @ 9                   -> #4 rests 1; #1 trades 6 @ 10 with #2; #1 trades 4 @ 10 with #3
        left: bid #4 1 @ 9
    """,
    "an own order is not counted with cancel newest": """
        A sells 5 @ 10                 -> #1 rests 5
        B sells 5 @ 10                 -> #2 rests 5
        A buys 5 @ 10 minimum=5        -> #3 waits 5
        left: ask #1 5 @ 10, ask #2 5 @ 10, waiting bid #3 5 @ 10 min 5
    """,
    "an own order is passed over with cancel oldest": """
        A sells 5 @ 10                              -> #1 rests 5
        B sells 5 @ 10                              -> #2 rests 5
        A buys 5 @ 10 minimum=5 cancel-oldest       -> #1 cancelled 5 self-trade; #3 trades 5 @ 10 with #2
        left: nothing
    """,
    "an own waiting order whose minimum is too much is not met": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        B sells 2 @ 11                 -> #2 rests 2
        A buys 4 @ 11                  -> #3 trades 2 @ 11 with #2; #3 rests 2
        left: bid #3 2 @ 11, waiting ask #1 5 @ 10 min 5
    """,
    "an own waiting order that is met ends the newest": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        A buys 5 @ 10                  -> #2 cancelled 5 self-trade
        left: waiting ask #1 5 @ 10 min 5
    """,
    "an own waiting order that is met is the oldest": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        A buys 5 @ 10 cancel-oldest    -> #1 cancelled 5 self-trade; #2 rests 5
        left: bid #2 5 @ 10
    """,
    "decrement leaves an own waiting order with what remains": """
        A sells 8 @ 10 minimum=4       -> #1 waits 8
        A buys 5 @ 10 decrement        -> #1 reduced 5 self-trade; #2 cancelled 5 self-trade
        left: waiting ask #1 3 @ 10 min 3
    """,
    "decrement uses an own waiting order up": """
        A sells 4 @ 10 all-or-none     -> #1 waits 4
        A buys 5 @ 10 decrement        -> #1 cancelled 4 self-trade; #2 reduced 4 self-trade; #2 rests 1
        left: bid #2 1 @ 10
    """,
    "the remainder is ended by self-trade prevention": """
        B sells 5 @ 10                 -> #1 rests 5
        A sells 5 @ 11                 -> #2 rests 5
        A buys 9 @ 11 minimum=5        -> #3 trades 5 @ 10 with #1; #3 cancelled 4 self-trade
        left: ask #2 5 @ 11
    """,
    "post-only rests and is then traded with": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        B buys 7 @ 11 post-only        -> #2 rests 7; #1 trades 5 @ 11 with #2
        left: bid #2 2 @ 11
    """,
    "cancel of one that waits": """
        A sells 5 @ 10 all-or-none     -> #1 waits 5
        cancel #1                      -> #1 cancelled 5 requested
        left: nothing
    """,
    "amend in place of one that waits lowers its minimum and tries nothing": """
        A sells 3 @ 10                 -> #1 rests 3
        B buys 8 @ 10 minimum=5        -> #2 waits 8
        amend #2 to 3 @ 10             -> #2 reduced 5 amended
        left: ask #1 3 @ 10, waiting bid #2 3 @ 10 min 3
    """,
    "amend in place of an all-or-none": """
        A sells 3 @ 10                 -> #1 rests 3
        B buys 8 @ 10 all-or-none      -> #2 waits 8
        amend #2 to 3 @ 10             -> #2 reduced 5 amended
        C sells 1 @ 12                 -> #3 rests 1; #2 trades 3 @ 10 with #1
        left: ask #3 1 @ 12
    """,
    "amend to another price enters again": """
        A sells 5 @ 10                 -> #1 rests 5
        B buys 8 @ 9 minimum=5         -> #2 waits 8
        amend #2 to 9 @ 10             -> #2 repriced 8; #2 trades 5 @ 10 with #1; #2 rests 4
        left: bid #2 4 @ 10
    """,
    "amend to another price waits again, behind": """
        A buys 8 @ 9 minimum=5         -> #1 waits 8
        B buys 8 @ 9 all-or-none       -> #2 waits 8
        amend #1 to 4 @ 8              -> #1 repriced 8; #1 waits 4
        amend #1 to 6 @ 9              -> #1 repriced 4; #1 waits 6
        left: waiting bid #2 8 @ 9 min 8, waiting bid #1 6 @ 9 min 4
    """,
    "amend up of an all-or-none": """
        A sells 5 @ 10                 -> #1 rests 5
        B buys 4 @ 9 all-or-none       -> #2 waits 4
        amend #2 to 6 @ 10             -> #2 repriced 4; #2 waits 6
        left: ask #1 5 @ 10, waiting bid #2 6 @ 10 min 6
    """,
    "an order that has traded its minimum has none when it is amended": """
        A sells 5 @ 10                 -> #1 rests 5
        B buys 8 @ 10 minimum=5        -> #2 trades 5 @ 10 with #1; #2 rests 3
        amend #2 to 4 @ 11             -> #2 repriced 3; #2 rests 4
        left: bid #2 4 @ 11
    """,
    "a whole amend makes them be tried": """
        A buys 8 @ 10 all-or-none      -> #1 waits 8
        B sells 8 @ 11                 -> #2 rests 8
        amend #2 to 8 @ 10             -> #2 repriced 8; #2 trades 8 @ 10 with #1
        left: nothing
    """,
    "the self-trade prevention of an amend in place counts later": """
        A sells 5 @ 10                 -> #1 rests 5
        A buys 5 @ 10 minimum=5        -> #2 waits 5
        amend #2 to 5 @ 10 allow       -> #2 reduced 0 amended
        B buys 1 @ 9                   -> #3 rests 1; #2 trades 5 @ 10 with #1
        left: bid #3 1 @ 9
    """,
}
