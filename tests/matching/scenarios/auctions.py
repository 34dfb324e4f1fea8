"""Call auctions: one price, by volume, surplus, its side and the reference."""

SCENARIOS = {
    "nothing crosses": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 9               -> #2 rests 5
        uncross 7                  -> uncrossed 0 @ 7
        left: bid #2 5 @ 9, ask #1 5 @ 10
    """,
    "one side is empty": """
        phase auction              -> phase auction
        B buys 5 @ 9               -> #1 rests 5
        uncross -3                 -> uncrossed 0 @ -3
        left: bid #1 5 @ 9
    """,
    "only in an auction": """
        uncross 10                 -> rejected phase-forbids
        left: nothing
    """,
    "the phase stays": """
        phase auction              -> phase auction
        uncross 7                  -> uncrossed 0 @ 7
        uncross 7                  -> uncrossed 0 @ 7
        left: nothing
    """,
    "one price": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 10              -> #2 rests 5
        uncross 99                 -> uncrossed 5 @ 10; #2 trades 5 @ 10 with #1 in auction
        left: nothing
    """,
    "the greatest volume": """
        phase auction              -> phase auction
        A sells 2 @ 10             -> #1 rests 2
        A sells 5 @ 11             -> #2 rests 5
        B buys 6 @ 11              -> #3 rests 6
        C buys 1 @ 12              -> #4 rests 1
        uncross 99                 -> uncrossed 7 @ 11; #4 trades 1 @ 11 with #1 in auction
                                    ; #3 trades 1 @ 11 with #1 in auction; #3 trades 5 @ 11 with #2 in auction
        left: nothing
    """,
    "the smallest surplus": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 13              -> #2 rests 5
        C buys 3 @ 11              -> #3 rests 3
        uncross 10                 -> uncrossed 5 @ 12; #2 trades 5 @ 12 with #1 in auction
        left: bid #3 3 @ 11
    """,
    "more bid than asked: the highest": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 8 @ 13              -> #2 rests 8
        uncross 0                  -> uncrossed 5 @ 13; #2 trades 5 @ 13 with #1 in auction
        left: bid #2 3 @ 13
    """,
    "more asked than bid: the lowest": """
        phase auction              -> phase auction
        A sells 8 @ 10             -> #1 rests 8
        B buys 5 @ 13              -> #2 rests 5
        uncross 99                 -> uncrossed 5 @ 10; #2 trades 5 @ 10 with #1 in auction
        left: ask #1 3 @ 10
    """,
    "as much bid as asked: the nearest to the reference, inside": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 15              -> #2 rests 5
        uncross 12                 -> uncrossed 5 @ 12; #2 trades 5 @ 12 with #1 in auction
        left: nothing
    """,
    "the nearest to the reference, from above": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 15              -> #2 rests 5
        uncross 2147483647         -> uncrossed 5 @ 15; #2 trades 5 @ 15 with #1 in auction
        left: nothing
    """,
    "the nearest to the reference, from below": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 15              -> #2 rests 5
        uncross -2147483648        -> uncrossed 5 @ 10; #2 trades 5 @ 10 with #1 in auction
        left: nothing
    """,
    "the one price at which all trade": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        A sells 2 @ 12             -> #2 rests 2
        B buys 5 @ 14              -> #3 rests 5
        B buys 2 @ 12              -> #4 rests 2
        uncross 12                 -> uncrossed 7 @ 12; #3 trades 5 @ 12 with #1 in auction; #4 trades 2 @ 12 with #2 in auction
        left: nothing
    """,
    "surplus of either side, equally great: the nearest to the reference": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        A sells 2 @ 12             -> #2 rests 2
        B buys 5 @ 14              -> #3 rests 5
        B buys 2 @ 11              -> #4 rests 2
        uncross 12                 -> uncrossed 5 @ 12; #3 trades 5 @ 12 with #1 in auction
        left: bid #4 2 @ 11, ask #2 2 @ 12
    """,
    "by price, then time, at the margin in part": """
        phase auction              -> phase auction
        A buys 4 @ 10              -> #1 rests 4
        B buys 4 @ 10              -> #2 rests 4
        C buys 4 @ 11              -> #3 rests 4
        D sells 6 @ 9              -> #4 rests 6
        uncross 10                 -> uncrossed 6 @ 10; #3 trades 4 @ 10 with #4 in auction; #1 trades 2 @ 10 with #4 in auction
        left: bid #1 2 @ 10, bid #2 4 @ 10
    """,
    "reserves count, peaks take turns": """
        phase auction              -> phase auction
        A sells 5 @ 10 iceberg=2   -> #1 rests 2 of 5
        B sells 3 @ 10             -> #2 rests 3
        C buys 6 @ 10              -> #3 rests 6
        uncross 10                 -> uncrossed 6 @ 10; #3 trades 2 @ 10 with #1 in auction; #1 refilled 2
                                    ; #3 trades 3 @ 10 with #2 in auction; #3 trades 1 @ 10 with #1 in auction
        left: ask #1 1 of 2 @ 10
    """,
    "two icebergs: the buyer's peak is refilled first": """
        phase auction              -> phase auction
        A sells 5 @ 10 iceberg=2   -> #1 rests 2 of 5
        C buys 5 @ 10 iceberg=2    -> #2 rests 2 of 5
        uncross 10                 -> uncrossed 5 @ 10; #2 trades 2 @ 10 with #1 in auction; #2 refilled 2
                                    ; #1 refilled 2; #2 trades 2 @ 10 with #1 in auction; #2 refilled 1; #1 refilled 1
                                    ; #2 trades 1 @ 10 with #1 in auction
        left: nothing
    """,
    "a peak used up with the last lot is refilled": """
        phase auction              -> phase auction
        A sells 5 @ 10 iceberg=2   -> #1 rests 2 of 5
        B sells 1 @ 10             -> #2 rests 1
        C buys 2 @ 10              -> #3 rests 2
        uncross 10                 -> uncrossed 2 @ 10; #3 trades 2 @ 10 with #1 in auction; #1 refilled 2
        left: ask #2 1 @ 10, ask #1 2 of 3 @ 10
    """,
    "a volume of more lots than one order can have": """
        phase auction              -> phase auction
        A sells 4294967295 @ 10    -> #1 rests 4294967295
        A sells 4294967295 @ 10    -> #2 rests 4294967295
        B buys 4294967295 @ 10     -> #3 rests 4294967295
        C buys 9 @ 10              -> #4 rests 9
        uncross 10                 -> uncrossed 4294967304 @ 10; #3 trades 4294967295 @ 10 with #1 in auction; #4 trades 9 @ 10 with #2 in auction
        left: ask #2 4294967286 @ 10
    """,
    "own orders trade with each other": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        A buys 5 @ 10              -> #2 rests 5
        uncross 10                 -> uncrossed 5 @ 10; #2 trades 5 @ 10 with #1 in auction
        left: nothing
    """,
    "orders that wait take no part": """
        phase auction              -> phase auction
        A sells 5 @ 10 all-or-none -> #1 waits 5
        B buys 5 @ 10              -> #2 rests 5
        uncross 10                 -> uncrossed 0 @ 10
        left: bid #2 5 @ 10, waiting ask #1 5 @ 10 min 5
    """,
    "the auction's price is the last trade, and triggers when trading goes on": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 12              -> #2 rests 5
        C buys 1 @ 5 stop=11       -> #3 waits 1
        C buys 1 @ 5 stop=12       -> #4 waits 1
        uncross 11                 -> uncrossed 5 @ 11; #2 trades 5 @ 11 with #1 in auction
        phase continuous           -> phase continuous; #3 triggered 1; #3 rests 1
        left: bid #3 1 @ 5, stop bid #4 1 @ 5 at 12
    """,
    "an auction without a trade leaves the last trade": """
        A sells 1 @ 10             -> #1 rests 1
        B buys 1 @ 10              -> #2 trades 1 @ 10 with #1
        phase auction              -> phase auction
        uncross 20                 -> uncrossed 0 @ 20
        C buys 1 @ 5 stop=11       -> #3 waits 1
        phase continuous           -> phase continuous
        left: stop bid #3 1 @ 5 at 11
    """,
    "after an auction a book is not crossed": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        A sells 5 @ 14             -> #2 rests 5
        B buys 7 @ 15              -> #3 rests 7
        B buys 2 @ 11              -> #4 rests 2
        uncross 12                 -> uncrossed 7 @ 14; #3 trades 5 @ 14 with #1 in auction; #3 trades 2 @ 14 with #2 in auction
        phase continuous           -> phase continuous
        left: bid #4 2 @ 11, ask #2 3 @ 14
    """,
    "prices at the ends of int32": """
        phase auction              -> phase auction
        A sells 5 @ -2147483648    -> #1 rests 5
        B buys 5 @ 2147483647      -> #2 rests 5
        uncross 0                  -> uncrossed 5 @ 0; #2 trades 5 @ 0 with #1 in auction
        left: nothing
    """,
    "the k rule: half way between the last that trade and the first that are left": """
        phase auction              -> phase auction
        A buys 400 @ 62            -> #1 rests 400
        B buys 300 @ 58            -> #2 rests 300
        C buys 300 @ 55            -> #3 rests 300
        D buys 500 @ 50            -> #4 rests 500
        E buys 400 @ 44            -> #5 rests 400
        F sells 300 @ 36           -> #6 rests 300
        G sells 400 @ 40           -> #7 rests 400
        H sells 300 @ 46           -> #8 rests 300
        I sells 400 @ 52           -> #9 rests 400
        J sells 500 @ 60           -> #10 rests 500
        uncross 0 k 500000         -> uncrossed 1000 @ 51; #1 trades 300 @ 51 with #6 in auction; #1 trades 100 @ 51 with #7 in auction
                                    ; #2 trades 300 @ 51 with #7 in auction; #3 trades 300 @ 51 with #8 in auction
        left: bid #4 500 @ 50, bid #5 400 @ 44, ask #9 400 @ 52, ask #10 500 @ 60
    """,
    "the k rule: 0 is the sellers' end": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 20              -> #2 rests 5
        uncross 15 k 0             -> uncrossed 5 @ 10; #2 trades 5 @ 10 with #1 in auction
        left: nothing
    """,
    "the k rule: a million is the buyers' end": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 20              -> #2 rests 5
        uncross 15 k 1000000       -> uncrossed 5 @ 20; #2 trades 5 @ 20 with #1 in auction
        left: nothing
    """,
    "the k rule: half a tick to the even one": """
        phase auction              -> phase auction
        A sells 5 @ 9              -> #1 rests 5
        B buys 5 @ 12              -> #2 rests 5
        uncross 0 k 500000         -> uncrossed 5 @ 10; #2 trades 5 @ 10 with #1 in auction
        A sells 5 @ 10             -> #3 rests 5
        B buys 5 @ 13              -> #4 rests 5
        uncross 0 k 500000         -> uncrossed 5 @ 12; #4 trades 5 @ 12 with #3 in auction
        left: nothing
    """,
    "the k rule: an order left in part holds the price": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        B buys 8 @ 20              -> #2 rests 8
        uncross 0 k 0              -> uncrossed 5 @ 20; #2 trades 5 @ 20 with #1 in auction
        left: bid #2 3 @ 20
    """,
    "the k rule: reserves count": """
        phase auction              -> phase auction
        A sells 9 @ 10 iceberg=3   -> #1 rests 3 of 9
        A sells 5 @ 14             -> #2 rests 5
        B buys 9 @ 20              -> #3 rests 9
        uncross 0 k 500000         -> uncrossed 9 @ 12; #3 trades 3 @ 12 with #1 in auction; #1 refilled 3
                                    ; #3 trades 3 @ 12 with #1 in auction; #1 refilled 3; #3 trades 3 @ 12 with #1 in auction
        left: ask #2 5 @ 14
    """,
    "the k rule: without a trade the reference is told": """
        phase auction              -> phase auction
        A sells 5 @ 10             -> #1 rests 5
        uncross 7 k 500000         -> uncrossed 0 @ 7
        left: ask #1 5 @ 10
    """,
    "the k rule: from one end of int32 to the other": """
        phase auction              -> phase auction
        A sells 5 @ -2147483648    -> #1 rests 5
        B buys 5 @ 2147483647      -> #2 rests 5
        uncross 9 k 250000         -> uncrossed 5 @ -1073741824; #2 trades 5 @ -1073741824 with #1 in auction
        left: nothing
    """,
    "the k rule: k is a million at most": """
        uncross 7 k 1000001        -> rejected quantity-out-of-range
        uncross 7 k 1000000        -> rejected phase-forbids
        uncross 7 flags:=2         -> rejected unknown-flags
        uncross 7 flags:=3 quantity_lots:=1000001 -> rejected unknown-flags
        left: nothing
    """,
}
