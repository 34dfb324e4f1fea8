"""Linked baskets: all legs or none."""

# 5 lots asked at 10 in book 0, 5 lots bid at 9 in book 1.
TWO_BOOKS = """
        A sells 5 @ 10                     -> #1 rests 5
        B buys 5 @ 9 book=1                -> #2 rests 5
"""
STAND = """
        left: ask #1 5 @ 10
        left 1: bid #2 5 @ 9
"""

SCENARIOS = {
    "all legs trade, in their order": f"""{TWO_BOOKS}
        basket C sells 4 @ 8 book=1, C buys 3 @ 11 -> #3 trades 4 @ 9 with #2; #4 trades 3 @ 10 with #1
        left: ask #1 2 @ 10
        left 1: bid #2 1 @ 9
    """,
    "a basket of one leg": f"""{TWO_BOOKS}
        basket C buys 5 @ 10               -> #3 trades 5 @ 10 with #1
        left: nothing
    """,
    "a leg that cannot trade whole fails all": f"""{TWO_BOOKS}
        basket C buys 3 @ 10, C sells 6 @ 9 book=1 -> #3 cancelled 3 basket-unfillable; #4 cancelled 6 basket-unfillable
        {STAND}
    """,
    "the ids of a failed basket are used up": f"""{TWO_BOOKS}
        basket C buys 3 @ 10, C sells 6 @ 9 book=1 -> #3 cancelled 3 basket-unfillable; #4 cancelled 6 basket-unfillable
        C buys 1 @ 1 order_id:=4           -> rejected order-id-out-of-sequence
        {STAND}
    """,
    "a leg that would meet an own order fails all": f"""{TWO_BOOKS}
        basket A buys 5 @ 10 cancel-oldest, A sells 5 @ 9 book=1 -> #3 cancelled 5 basket-unfillable; #4 cancelled 5 basket-unfillable
        {STAND}
    """,
    "even where it may trade with itself": f"""{TWO_BOOKS}
        basket A buys 5 @ 10 allow         -> #3 cancelled 5 basket-unfillable
        {STAND}
    """,
    "an own order behind what the leg needs does not matter": f"""{TWO_BOOKS}
        C sells 5 @ 10                     -> #3 rests 5
        basket C buys 5 @ 10               -> #4 trades 5 @ 10 with #1
        left: ask #3 5 @ 10
    """,
    "a leg trades with orders that wait": """
        A sells 5 @ 10 all-or-none         -> #1 waits 5
        basket C buys 4 @ 10               -> #2 cancelled 4 basket-unfillable
        basket C buys 5 @ 10               -> #3 trades 5 @ 10 with #1
        left: nothing
    """,
    "stops and waiting orders follow right after their leg": f"""{TWO_BOOKS}
        C buys 1 @ 7 stop=10               -> #3 waits 1
        basket D buys 3 @ 10, D sells 4 @ 8 book=1 -> #4 trades 3 @ 10 with #1; #3 triggered 1; #3 rests 1; #5 trades 4 @ 9 with #2
        left: bid #3 1 @ 7, ask #1 2 @ 10
        left 1: bid #2 1 @ 9
    """,
    "a refused leg refuses the basket": f"""{TWO_BOOKS}
        basket C buys 3 @ 10, C sells 0 @ 9 book=1, C buys 1 @ 1 book=2 -> rejected invalid-basket, quantity-out-of-range, invalid-basket
        {STAND}
    """,
    "of several refused legs the first counts": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 book=-1, C sells 0 @ 9 book=1 -> rejected unknown-book, invalid-basket
        basket C buys 3 @ 10 flags:=64, C sells 0 @ 9 book=1 -> rejected unknown-flags, invalid-basket
        {STAND}
    """,
    "the ids of a refused basket are not used up": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 order_id:=3, C sells 0 @ 9 book=1 order_id:=4 -> rejected invalid-basket, quantity-out-of-range
        C buys 1 @ 1 order_id:=3           -> #3 rests 1
        left: bid #3 1 @ 1, ask #1 5 @ 10
    """,
    "legs carry no flags": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 iceberg=1 time_in_force:=0, C sells 1 @ 9 book=1 -> rejected invalid-basket, invalid-basket
        {STAND}
    """,
    "legs are fok": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 ioc, C sells 1 @ 9 book=1 -> rejected invalid-basket, invalid-basket
        {STAND}
    """,
    "one leg a book": f"""{TWO_BOOKS}
        basket C buys 3 @ 10, C buys 1 @ 10 -> rejected invalid-basket, invalid-basket
        {STAND}
    """,
    "ids ascend from leg to leg": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 order_id:=4, C sells 1 @ 9 book=1 order_id:=4 -> rejected invalid-basket, order-id-out-of-sequence
        {STAND}
    """,
    "a leg without a basket": f"""{TWO_BOOKS}
        C buys 3 @ 10 fok kind:=5          -> rejected invalid-basket
        {STAND}
    """,
    "more legs announced than there are": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 legs:=3, C sells 1 @ 9 book=1 -> rejected invalid-basket, invalid-basket
        {STAND}
    """,
    "each entry of a broken basket is refused by itself": f"""{TWO_BOOKS}
        basket C buys 0 @ 10 legs:=3, C sells 1 @ 9 book=7 -> rejected quantity-out-of-range, unknown-book
        {STAND}
    """,
    "a second header ends the legs of the first": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 legs:=2, C sells 1 @ 9 book=1 legs:=1 -> #3 rejected invalid-basket; #4 trades 1 @ 9 with #2
        left: ask #1 5 @ 10
        left 1: bid #2 4 @ 9
    """,
    "fewer legs announced than there are": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 legs:=1, C sells 1 @ 9 book=1 -> #3 trades 3 @ 10 with #1; #4 rejected invalid-basket
        left: ask #1 2 @ 10
        left 1: bid #2 5 @ 9
    """,
    "more than a hundred legs announced": f"""{TWO_BOOKS}
        basket C buys 3 @ 10 legs:=101     -> rejected invalid-basket
        basket C buys 3 @ 10 legs:=65535   -> rejected invalid-basket
        {STAND}
    """,
    "a leg outside the band fails all": f"""{TWO_BOOKS}
        band 5..9                          -> nothing
        basket C buys 3 @ 10, C sells 1 @ 9 book=1 -> #3 cancelled 3 basket-unfillable; #4 cancelled 1 basket-unfillable
        {STAND}
    """,
    "a leg in an auction": f"""{TWO_BOOKS}
        phase auction book=1               -> phase auction
        basket C buys 3 @ 10, C sells 1 @ 9 book=1 -> rejected invalid-basket, phase-forbids
        {STAND}
    """,
}
