"""Stop orders: they wait for a trade at their stop price or beyond it."""

# The last trade is at 10.
TRADED = """
        A sells 1 @ 10             -> #1 rests 1
        B buys 1 @ 10              -> #2 trades 1 @ 10 with #1
"""

SCENARIOS = {
    "a stop waits": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        B sells 5 @ 7 stop=8       -> #2 waits 5
        left: stop bid #1 5 @ 13 at 12, stop ask #2 5 @ 7 at 8
    """,
    "nobody trades with a stop that waits": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        B sells 5 @ 7              -> #2 rests 5
        left: ask #2 5 @ 7, stop bid #1 5 @ 13 at 12
    """,
    "a trade at the stop price triggers a buy": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        B sells 7 @ 12             -> #2 rests 7
        C buys 1 @ 12              -> #3 trades 1 @ 12 with #2; #1 triggered 5; #1 trades 5 @ 12 with #2
        left: ask #2 1 @ 12
    """,
    "a trade beyond the stop price triggers a sell": """
        A sells 5 @ 6 stop=8       -> #1 waits 5
        B buys 7 @ 7               -> #2 rests 7
        C sells 1 @ 7              -> #3 trades 1 @ 7 with #2; #1 triggered 5; #1 trades 5 @ 7 with #2
        left: bid #2 1 @ 7
    """,
    "a trade short of the stop price does not": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        B sells 5 @ 9 stop=8       -> #2 waits 5
        C sells 1 @ 11             -> #3 rests 1
        D buys 1 @ 11              -> #4 trades 1 @ 11 with #3
        left: stop bid #1 5 @ 13 at 12, stop ask #2 5 @ 9 at 8
    """,
    "a quote does not trigger": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        B buys 5 @ 12              -> #2 rests 5
        C sells 5 @ 13             -> #3 rests 5
        left: bid #2 5 @ 12, ask #3 5 @ 13, stop bid #1 5 @ 13 at 12
    """,
    "a stop-limit that does not cross rests": """
        A buys 5 @ 9 stop=10       -> #1 waits 5
        B sells 1 @ 10             -> #2 rests 1
        C buys 1 @ 10              -> #3 trades 1 @ 10 with #2; #1 triggered 5; #1 rests 5
        left: bid #1 5 @ 9
    """,
    "a stop order is immediate at its protection price": """
        A buys 5 @ 13 stop=10 ioc  -> #1 waits 5
        B sells 3 @ 10             -> #2 rests 3
        C buys 1 @ 10              -> #3 trades 1 @ 10 with #2; #1 triggered 5; #1 trades 2 @ 10 with #2; #1 cancelled 3 immediate-remainder
        left: nothing
    """,
    "a stop that enters when the last trade is there is triggered at once": f"""{TRADED}
        C buys 5 @ 9 stop=10       -> #3 triggered 5; #3 rests 5
        D sells 5 @ 12 stop=10     -> #4 triggered 5; #4 rests 5
        left: bid #3 5 @ 9, ask #4 5 @ 12
    """,
    "the last trade was short of it": f"""{TRADED}
        C buys 5 @ 11 stop=11      -> #3 waits 5
        D sells 5 @ 9 stop=9       -> #4 waits 5
        left: stop bid #3 5 @ 11 at 11, stop ask #4 5 @ 9 at 9
    """,
    "the trigger comes after the whole of the entry": """
        A buys 2 @ 11 stop=10      -> #1 waits 2
        B sells 1 @ 10             -> #2 rests 1
        C sells 1 @ 11             -> #3 rests 1
        D buys 3 @ 11              -> #4 trades 1 @ 10 with #2; #4 trades 1 @ 11 with #3; #4 rests 1; #1 triggered 2; #1 rests 2
        left: bid #4 1 @ 11, bid #1 2 @ 11
    """,
    "one fill triggers by ascending id, not by stop price": """
        A buys 1 @ 9 stop=11       -> #1 waits 1
        A buys 1 @ 9 stop=10       -> #2 waits 1
        A sells 1 @ 12 stop=12     -> #3 waits 1
        B sells 1 @ 11             -> #4 rests 1
        C buys 1 @ 11              -> #5 trades 1 @ 11 with #4; #1 triggered 1; #1 rests 1; #2 triggered 1; #2 rests 1; #3 triggered 1; #3 rests 1
        left: bid #1 1 @ 9, bid #2 1 @ 9, ask #3 1 @ 12
    """,
    "of two fills the first triggers first": """
        A buys 1 @ 9 stop=11       -> #1 waits 1
        A buys 1 @ 9 stop=10       -> #2 waits 1
        B sells 1 @ 10             -> #3 rests 1
        B sells 1 @ 11             -> #4 rests 1
        C buys 2 @ 11              -> #5 trades 1 @ 10 with #3; #5 trades 1 @ 11 with #4; #2 triggered 1; #2 rests 1; #1 triggered 1; #1 rests 1
        left: bid #2 1 @ 9, bid #1 1 @ 9
    """,
    "a cascade: fills of a triggered stop join the end of the queue": """
        A buys 2 @ 20 stop=10 ioc  -> #1 waits 2
        B buys 1 @ 20 stop=12      -> #2 waits 1
        C buys 1 @ 20 stop=10      -> #3 waits 1
        D sells 1 @ 10             -> #4 rests 1
        D sells 1 @ 11             -> #5 rests 1
        D sells 3 @ 12             -> #6 rests 3
        E buys 1 @ 10              -> #7 trades 1 @ 10 with #4; #1 triggered 2; #1 trades 1 @ 11 with #5
                                    ; #1 trades 1 @ 12 with #6; #3 triggered 1; #3 trades 1 @ 12 with #6; #2 triggered 1
                                    ; #2 trades 1 @ 12 with #6
        left: nothing
    """,
    "a stop stays in the queue when later fills turn back": """
        A sells 1 @ 12 stop=9      -> #1 waits 1
        B sells 1 @ 5 stop=10 ioc  -> #2 waits 1
        C buys 1 @ 10              -> #3 rests 1
        C buys 1 @ 9               -> #4 rests 1
        C buys 1 @ 8               -> #5 rests 1
        D sells 2 @ 9              -> #6 trades 1 @ 10 with #3; #6 trades 1 @ 9 with #4; #2 triggered 1
                                    ; #2 trades 1 @ 8 with #5; #1 triggered 1; #1 rests 1
        left: ask #1 1 @ 12
    """,
    "those with a minimum are tried before the queue begins and goes on": """
        A buys 3 @ 10 all-or-none  -> #1 waits 3
        B sells 1 @ 10 stop=11     -> #2 waits 1
        C buys 1 @ 11              -> #3 rests 1
        D sells 3 @ 10             -> #4 trades 1 @ 11 with #3; #4 rests 2; #2 triggered 1; #2 rests 1
                                    ; #1 trades 2 @ 10 with #4; #1 trades 1 @ 10 with #2
        left: nothing
    """,
    "a stop with a minimum waits for its trade, then for its minimum": """
        A buys 5 @ 11 stop=10 minimum=4 -> #1 waits 5
        B sells 3 @ 10             -> #2 rests 3
        C buys 1 @ 10              -> #3 trades 1 @ 10 with #2; #1 triggered 5; #1 waits 5
        left: ask #2 2 @ 10, waiting bid #1 5 @ 11 min 4
    """,
    "a stop with an iceberg": f"""{TRADED}
        C buys 9 @ 9 stop=10 iceberg=2 -> #3 triggered 9; #3 rests 2 of 9
        left: bid #3 2 of 9 @ 9
    """,
    "a fill-or-kill stop": """
        A buys 5 @ 11 stop=10 fok  -> #1 waits 5
        B sells 3 @ 10             -> #2 rests 3
        C buys 1 @ 10              -> #3 trades 1 @ 10 with #2; #1 triggered 5; #1 cancelled 5 fill-or-kill-unfillable
        left: ask #2 2 @ 10
    """,
    "a fill of a waiting order triggers": """
        A buys 3 @ 10 all-or-none  -> #1 waits 3
        B sells 1 @ 12 stop=10     -> #2 waits 1
        C sells 3 @ 10             -> #3 trades 3 @ 10 with #1; #2 triggered 1; #2 rests 1
        left: ask #2 1 @ 12
    """,
    "an amended stop waits on, in its place": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        B buys 5 @ 13 stop=12      -> #2 waits 5
        amend #1 to 6 @ 14         -> #1 repriced 5; #1 waits 6
        amend #2 to 3 @ 13         -> #2 reduced 2 amended
        left: stop bid #1 6 @ 14 at 12, stop bid #2 3 @ 13 at 12
    """,
    "an amended stop does not match": """
        A sells 5 @ 14             -> #1 rests 5
        B buys 5 @ 13 stop=12      -> #2 waits 5
        amend #2 to 5 @ 14         -> #2 repriced 5; #2 waits 5
        left: ask #1 5 @ 14, stop bid #2 5 @ 14 at 12
    """,
    "a triggered stop is no longer a stop": f"""{TRADED}
        C buys 5 @ 9 stop=10       -> #3 triggered 5; #3 rests 5
        amend #3 to 6 @ 8          -> #3 repriced 5; #3 rests 6
        left: bid #3 6 @ 8
    """,
    "cancel of a stop": """
        A buys 5 @ 13 stop=12      -> #1 waits 5
        cancel #1                  -> #1 cancelled 5 requested
        left: nothing
    """,
    "stops are listed from the first that would be triggered": """
        A buys 1 @ 9 stop=12       -> #1 waits 1
        A buys 1 @ 9 stop=11       -> #2 waits 1
        A buys 1 @ 9 stop=11       -> #3 waits 1
        A sells 1 @ 9 stop=7       -> #4 waits 1
        A sells 1 @ 9 stop=8       -> #5 waits 1
        left: stop bid #2 1 @ 9 at 11, stop bid #3 1 @ 9 at 11, stop bid #1 1 @ 9 at 12, stop ask #5 1 @ 9 at 8, stop ask #4 1 @ 9 at 7
    """,
    "stops of another book are not triggered": """
        A buys 5 @ 13 stop=10 book=1 -> #1 waits 5
        B sells 1 @ 10             -> #2 rests 1
        C buys 1 @ 10              -> #3 trades 1 @ 10 with #2
        left: nothing
        left 1: stop bid #1 5 @ 13 at 10
    """,
    "stop prices at the ends of int32": """
        A buys 1 @ 5 stop=-2147483648   -> #1 waits 1
        B sells 1 @ 5 stop=2147483647   -> #2 waits 1
        C sells 1 @ 0              -> #3 rests 1
        D buys 1 @ 0               -> #4 trades 1 @ 0 with #3; #1 triggered 1; #1 rests 1; #2 triggered 1; #2 trades 1 @ 5 with #1
        left: nothing
    """,
}
