"""Volatility interruption: trading outside the band of a book is interrupted by an auction."""

SCENARIOS = {
    "inside the band nothing happens, both ends included": """
        band 9..11                 -> nothing
        A sells 1 @ 9              -> #1 rests 1
        A sells 1 @ 11             -> #2 rests 1
        B buys 2 @ 20              -> #3 trades 1 @ 9 with #1; #3 trades 1 @ 11 with #2
        left: nothing
    """,
    "orders may rest outside the band": """
        band 9..11                 -> nothing
        A sells 1 @ 15             -> #1 rests 1
        B buys 1 @ 3               -> #2 rests 1
        left: bid #2 1 @ 3, ask #1 1 @ 15
    """,
    "a trade above the band is interrupted": """
        band 9..11                 -> nothing
        A sells 1 @ 11             -> #1 rests 1
        A sells 5 @ 12             -> #2 rests 5
        B buys 3 @ 12              -> #3 trades 1 @ 11 with #1; phase auction volatility; #3 rests 2
        C buys 1 @ 11              -> #4 rests 1
        left: bid #3 2 @ 12, bid #4 1 @ 11, ask #2 5 @ 12
    """,
    "a trade below the band is interrupted": """
        band 9..11                 -> nothing
        A buys 5 @ 8               -> #1 rests 5
        B sells 3 @ 8              -> phase auction volatility; #2 rests 3
        left: bid #1 5 @ 8, ask #2 3 @ 8
    """,
    "the remainder of an iceberg rests with a peak": """
        band 9..11                 -> nothing
        A sells 5 @ 12             -> #1 rests 5
        B buys 7 @ 12 iceberg=2    -> phase auction volatility; #2 rests 2 of 7
        left: bid #2 2 of 7 @ 12, ask #1 5 @ 12
    """,
    "the remainder of an immediate order ends": """
        band 9..11                 -> nothing
        A sells 1 @ 11             -> #1 rests 1
        A sells 5 @ 12             -> #2 rests 5
        B buys 3 @ 12 ioc          -> #3 trades 1 @ 11 with #1; phase auction volatility; #3 cancelled 2 immediate-remainder
        left: ask #2 5 @ 12
    """,
    "fok counts inside the band only and does not interrupt": """
        band 9..11                 -> nothing
        A sells 1 @ 11             -> #1 rests 1
        A sells 5 @ 12             -> #2 rests 5
        B buys 2 @ 12 fok          -> #3 cancelled 2 fill-or-kill-unfillable
        B buys 1 @ 12 fok          -> #4 trades 1 @ 11 with #1
        left: ask #2 5 @ 12
    """,
    "a minimum counts inside the band only": """
        band 9..11                 -> nothing
        A sells 2 @ 11             -> #1 rests 2
        A sells 5 @ 12             -> #2 rests 5
        B buys 6 @ 12 minimum=3    -> #3 waits 6
        B buys 6 @ 12 minimum=3 ioc -> #4 cancelled 6 minimum-unfillable
        B buys 6 @ 12 all-or-none  -> #5 waits 6
        left: ask #1 2 @ 11, ask #2 5 @ 12, waiting bid #3 6 @ 12 min 3, waiting bid #5 6 @ 12 min 6
    """,
    "the remainder after a minimum is interrupted": """
        band 9..11                 -> nothing
        A sells 2 @ 11             -> #1 rests 2
        A sells 5 @ 12             -> #2 rests 5
        B buys 6 @ 12 minimum=2    -> #3 trades 2 @ 11 with #1; phase auction volatility; #3 rests 4
        left: bid #3 4 @ 12, ask #2 5 @ 12
    """,
    "post-only is not concerned": """
        band 9..11                 -> nothing
        A sells 2 @ 13             -> #1 rests 2
        B buys 2 @ 13 post-only    -> #2 cancelled 2 post-only-would-cross
        B buys 2 @ 12 post-only    -> #3 rests 2
        left: bid #3 2 @ 12, ask #1 2 @ 13
    """,
    "where nothing trades nothing is interrupted": """
        band 9..11                 -> nothing
        A sells 2 @ 12             -> #1 rests 2
        A buys 2 @ 12              -> #2 cancelled 2 self-trade
        A buys 3 @ 12 decrement    -> #1 cancelled 2 self-trade; #3 reduced 2 self-trade; #3 rests 1
        left: bid #3 1 @ 12
    """,
    "an own order before a trade outside the band": """
        band 9..11                     -> nothing
        A sells 2 @ 12                 -> #1 rests 2
        B sells 2 @ 12                 -> #2 rests 2
        A buys 3 @ 12 cancel-oldest    -> #1 cancelled 2 self-trade; phase auction volatility; #3 rests 3
        left: bid #3 3 @ 12, ask #2 2 @ 12
    """,
    "a count passes over own orders outside the band with cancel oldest": """
        band 9..11                            -> nothing
        A sells 2 @ 8                         -> #1 rests 2
        B sells 2 @ 9                         -> #2 rests 2
        A buys 2 @ 10 fok cancel-oldest       -> #1 cancelled 2 self-trade; #3 trades 2 @ 9 with #2
        left: nothing
    """,
    "an order that waits outside the band interrupts too": """
        band 9..11                 -> nothing
        A sells 2 @ 12 all-or-none -> #1 waits 2
        B buys 3 @ 12              -> phase auction volatility; #2 rests 3
        left: bid #2 3 @ 12, waiting ask #1 2 @ 12 min 2
    """,
    "an order that waited is interrupted after its minimum": """
        band 9..11                 -> nothing
        A buys 6 @ 12 minimum=4    -> #1 waits 6
        B sells 2 @ 11             -> #2 rests 2
        B sells 3 @ 12             -> #3 rests 3
        B sells 2 @ 10             -> #4 rests 2; #1 trades 2 @ 10 with #4; #1 trades 2 @ 11 with #2; phase auction volatility; #1 rests 2
        left: bid #1 2 @ 12, ask #3 3 @ 12
    """,
    "the remainder of one that was met is interrupted": """
        band 9..11                 -> nothing
        A sells 2 @ 8              -> #1 rests 2
        B buys 5 @ 10 minimum=3    -> #2 waits 5
        C sells 3 @ 10             -> #3 trades 3 @ 10 with #2; phase auction volatility; #2 rests 2
        left: bid #2 2 @ 10, ask #1 2 @ 8
    """,
    "an amended order is interrupted": """
        band 9..11                 -> nothing
        A sells 2 @ 12             -> #1 rests 2
        B buys 2 @ 10              -> #2 rests 2
        amend #2 to 2 @ 12         -> #2 repriced 2; phase auction volatility; #2 rests 2
        left: bid #2 2 @ 12, ask #1 2 @ 12
    """,
    "a triggered stop is interrupted, the next goes back to waiting": """
        band 9..11                 -> nothing
        A buys 2 @ 13 stop=11      -> #1 waits 2
        A buys 2 @ 13 stop=10      -> #2 waits 2
        B sells 1 @ 11             -> #3 rests 1
        B sells 5 @ 12             -> #4 rests 5
        C buys 1 @ 11              -> #5 trades 1 @ 11 with #3; #1 triggered 2; phase auction volatility; #1 rests 2
        left: bid #1 2 @ 13, ask #4 5 @ 12, stop bid #2 2 @ 13 at 10
    """,
    "a stop reached before an interruption waits on and is triggered later": """
        band 9..11                 -> nothing
        A buys 2 @ 7 stop=11       -> #1 waits 2
        B sells 1 @ 11             -> #2 rests 1
        B sells 5 @ 12             -> #3 rests 5
        C buys 2 @ 12              -> #4 trades 1 @ 11 with #2; phase auction volatility; #4 rests 1
        uncross 12                 -> uncrossed 1 @ 12; #4 trades 1 @ 12 with #3 in auction
        phase continuous           -> phase continuous; #1 triggered 2; #1 rests 2
        left: bid #1 2 @ 7, ask #3 4 @ 12
    """,
    "those with a minimum are not tried in the auction that follows": """
        band 9..11                 -> nothing
        A sells 3 @ 12             -> #1 rests 3
        B sells 4 @ 10 all-or-none -> #2 waits 4
        C buys 2 @ 9               -> #3 rests 2
        D buys 3 @ 12              -> phase auction volatility; #4 rests 3
        left: bid #4 3 @ 12, bid #3 2 @ 9, ask #1 3 @ 12, waiting ask #2 4 @ 10 min 4
    """,
    "after the auction the band holds on": """
        band 9..11                 -> nothing
        A sells 5 @ 12             -> #1 rests 5
        B buys 2 @ 12              -> phase auction volatility; #2 rests 2
        uncross 12                 -> uncrossed 2 @ 12; #2 trades 2 @ 12 with #1 in auction
        phase continuous           -> phase continuous
        B buys 1 @ 12              -> phase auction volatility; #3 rests 1
        left: bid #3 1 @ 12, ask #1 3 @ 12
    """,
    "a new band replaces the old one, none lets all trade": """
        A sells 5 @ 12             -> #1 rests 5
        band 9..11                 -> nothing
        band 12..12                -> nothing
        B buys 1 @ 12              -> #2 trades 1 @ 12 with #1
        band 0..1                  -> nothing
        no band                    -> nothing
        B buys 1 @ 12              -> #3 trades 1 @ 12 with #1
        left: ask #1 3 @ 12
    """,
    "a wider band does not make those that wait be tried": """
        band 9..11                 -> nothing
        A sells 5 @ 12             -> #1 rests 5
        B buys 5 @ 12 all-or-none  -> #2 waits 5
        no band                    -> nothing
        C buys 1 @ 9               -> #3 rests 1; #2 trades 5 @ 12 with #1
        left: bid #3 1 @ 9
    """,
    "a band is set in any phase and belongs to one book": """
        phase halted               -> phase halted
        band 9..11                 -> nothing
        phase continuous           -> phase continuous
        A sells 5 @ 12             -> #1 rests 5
        A sells 5 @ 12 book=1      -> #2 rests 5
        B buys 5 @ 12              -> phase auction volatility; #3 rests 5
        B buys 5 @ 12 book=1       -> #4 trades 5 @ 12 with #2
        left: bid #3 5 @ 12, ask #1 5 @ 12
        left 1: nothing
    """,
    "a band at the ends of int32": """
        band -2147483648..2147483647 -> nothing
        A sells 5 @ 2147483647     -> #1 rests 5
        B buys 5 @ 2147483647      -> #2 trades 5 @ 2147483647 with #1
        left: nothing
    """,
}
