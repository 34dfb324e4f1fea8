/*
 * The matching core of parkex, from C, C++ or Rust inside a Python process that has imported matching.embedding. The address of a
 * parkex_api comes from matching.embedding.c_api(). docs/embedding.md shows its use, docs/matching.md has the rules.
 *
 * Quantities are unsigned 32-bit lots, prices signed 32-bit ticks, order ids signed 64-bit. Fields named unused are neither read nor
 * written. A test compares this file by the system's compiler with the records of matching/records.py and matching/embedding.py.
 */
#ifndef PARKEX_CORE_H
#define PARKEX_CORE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PARKEX_ABI_VERSION 1 /* of this file; compare with abi_version before anything else */

enum parkex_side {
    PARKEX_SIDE_BUY = 0,
    PARKEX_SIDE_SELL = 1,
};

/* How long an order lives. GTD, SESSION and GATE end by an EXPIRE entry. */
enum parkex_time_in_force {
    PARKEX_TIME_IN_FORCE_GTC = 0,
    PARKEX_TIME_IN_FORCE_GTD = 1,
    PARKEX_TIME_IN_FORCE_SESSION = 2,
    PARKEX_TIME_IN_FORCE_IOC = 3,
    PARKEX_TIME_IN_FORCE_FOK = 4,
    PARKEX_TIME_IN_FORCE_GATE = 5,
};

/* What happens where an order meets a resting order of the same owner; the entering order's choice counts. */
enum parkex_self_trade {
    PARKEX_SELF_TRADE_CANCEL_NEWEST = 0,
    PARKEX_SELF_TRADE_CANCEL_OLDEST = 1,
    PARKEX_SELF_TRADE_CANCEL_BOTH = 2,
    PARKEX_SELF_TRADE_DECREMENT = 3,
    PARKEX_SELF_TRADE_ALLOW = 4,
};

/* Bits of parkex_entry.flags. A field belongs to a bit (display_lots: ICEBERG, min_lots: MINIMUM, stop_ticks: STOP). */
enum parkex_entry_flag {
    PARKEX_ENTRY_FLAG_NONE = 0,
    PARKEX_ENTRY_FLAG_POST_ONLY = 1,
    PARKEX_ENTRY_FLAG_REPRICE = 2,
    PARKEX_ENTRY_FLAG_ICEBERG = 4,
    PARKEX_ENTRY_FLAG_MINIMUM = 8,
    PARKEX_ENTRY_FLAG_ALL_OR_NONE = 16,
    PARKEX_ENTRY_FLAG_STOP = 32,
};

enum parkex_book_phase {
    PARKEX_BOOK_PHASE_CONTINUOUS = 0,
    PARKEX_BOOK_PHASE_AUCTION = 1,
    PARKEX_BOOK_PHASE_HALTED = 2,
};

/* What an entry asks for. quantity_lots of SET_PHASE is a parkex_book_phase. */
enum parkex_entry_kind {
    PARKEX_ENTRY_KIND_PLACE = 1,
    PARKEX_ENTRY_KIND_CANCEL = 2,
    PARKEX_ENTRY_KIND_AMEND = 3,
    PARKEX_ENTRY_KIND_EXPIRE = 4,
    PARKEX_ENTRY_KIND_BASKET = 5,
    PARKEX_ENTRY_KIND_MASS_CANCEL = 6,
    PARKEX_ENTRY_KIND_SET_PHASE = 7,
    PARKEX_ENTRY_KIND_UNCROSS = 8,
    PARKEX_ENTRY_KIND_SET_BAND = 9,
};

/* Bits of flags of a MASS_CANCEL entry: which fields filter. */
enum parkex_mass_cancel {
    PARKEX_MASS_CANCEL_BY_BOOK = 1,
    PARKEX_MASS_CANCEL_BY_SIDE = 2,
    PARKEX_MASS_CANCEL_BY_LABEL = 4,
};

/* Bits of flags of an UNCROSS entry. K_PRICE: the price lies at k = quantity_lots / 1000000 of the interval at which demand and supply agree. */
enum parkex_uncross_flag {
    PARKEX_UNCROSS_FLAG_K_PRICE = 1,
};

/* What happened to order_id. FILLED speaks of the taker (order_id) and the maker (counter_id) at once. */
enum parkex_event_kind {
    PARKEX_EVENT_KIND_RESTED = 1,
    PARKEX_EVENT_KIND_FILLED = 2,
    PARKEX_EVENT_KIND_CANCELLED = 3,
    PARKEX_EVENT_KIND_REDUCED = 4,
    PARKEX_EVENT_KIND_REPRICED = 5,
    PARKEX_EVENT_KIND_REJECTED = 6,
    PARKEX_EVENT_KIND_WAITING = 7,
    PARKEX_EVENT_KIND_REFILLED = 8,
    PARKEX_EVENT_KIND_TRIGGERED = 9,
    PARKEX_EVENT_KIND_PHASE_CHANGED = 10,
    PARKEX_EVENT_KIND_UNCROSSED = 11,
};

/* Why an order left the book or an entry was refused; from 32 on: a refusal, which changed nothing. */
enum parkex_reason {
    PARKEX_REASON_NONE = 0,
    PARKEX_REASON_REQUESTED = 1,
    PARKEX_REASON_IMMEDIATE_REMAINDER = 2,
    PARKEX_REASON_POST_ONLY_WOULD_CROSS = 3,
    PARKEX_REASON_FILL_OR_KILL_UNFILLABLE = 4,
    PARKEX_REASON_SELF_TRADE = 5,
    PARKEX_REASON_EXPIRED = 6,
    PARKEX_REASON_AMENDED = 7,
    PARKEX_REASON_AUCTION = 8,
    PARKEX_REASON_VOLATILITY = 9,
    PARKEX_REASON_BASKET_UNFILLABLE = 10,
    PARKEX_REASON_MINIMUM_UNFILLABLE = 11,
    PARKEX_REASON_UNKNOWN_KIND = 32,
    PARKEX_REASON_UNKNOWN_BOOK = 33,
    PARKEX_REASON_UNKNOWN_ORDER = 34,
    PARKEX_REASON_UNKNOWN_SIDE = 35,
    PARKEX_REASON_UNKNOWN_TIME_IN_FORCE = 36,
    PARKEX_REASON_UNKNOWN_SELF_TRADE = 37,
    PARKEX_REASON_UNKNOWN_FLAGS = 38,
    PARKEX_REASON_QUANTITY_OUT_OF_RANGE = 39,
    PARKEX_REASON_OWNER_OUT_OF_RANGE = 40,
    PARKEX_REASON_DISPLAY_OUT_OF_RANGE = 41,
    PARKEX_REASON_MINIMUM_OUT_OF_RANGE = 42,
    PARKEX_REASON_ORDER_ID_OUT_OF_SEQUENCE = 43,
    PARKEX_REASON_FLAGS_CONTRADICT = 44,
    PARKEX_REASON_INVALID_BASKET = 45,
    PARKEX_REASON_PHASE_FORBIDS = 46,
    PARKEX_REASON_BOOK_IS_CROSSED = 47,
};

/* What became of a call. EVENTS_FULL: read the events and call again with the entries that are left. OUT_OF_MEMORY: those
 * before entries_done are applied, the next has changed nothing. INVALID_ARGUMENT: nothing was done. */
enum parkex_status {
    PARKEX_STATUS_DONE = 0,
    PARKEX_STATUS_EVENTS_FULL = 1,
    PARKEX_STATUS_OUT_OF_MEMORY = 2,
    PARKEX_STATUS_INVALID_ARGUMENT = 3,
};

/* One command, 48 bytes, aligned to 8. Zero what is not used. */
typedef struct parkex_entry {
    int64_t order_id;
    uint32_t quantity_lots;
    int32_t price_ticks;
    int32_t book;
    int32_t owner;
    uint8_t kind;
    uint8_t side;
    uint8_t time_in_force;
    uint8_t self_trade;
    uint16_t flags;
    uint16_t legs;
    uint32_t label;
    uint32_t display_lots;
    uint32_t min_lots;
    int32_t stop_ticks;
} parkex_entry;

/* One thing that happened, 56 bytes, aligned to 8. The slots are internal and valid until the next command. */
typedef struct parkex_event {
    int64_t order_id;
    uint32_t quantity_lots;
    uint32_t remaining_lots;
    int32_t price_ticks;
    int32_t book;
    int32_t owner;
    int32_t slot;
    int64_t counter_id;
    uint32_t counter_remaining_lots;
    int32_t counter_owner;
    int32_t counter_slot;
    uint8_t kind;
    uint8_t side;
    uint8_t reason;
    uint8_t unused;
} parkex_event;

/* One price of one side: what is shown, and by how many orders. */
typedef struct parkex_level {
    int64_t quantity_lots;
    int64_t orders;
    int32_t price_ticks;
    uint32_t unused4;
} parkex_level;

/* What process reports. events_needed (with EVENTS_FULL): room that the next entry asks for before it runs, an upper bound. */
typedef struct parkex_progress {
    int64_t entries_done;
    int64_t n_events;
    int64_t events_needed;
} parkex_progress;

/* First sizes of a core; 0 takes the default. They decide memory and speed, never an outcome: all grow. Books 0 to
 * books - 1 are open from the start. */
typedef struct parkex_sizes {
    int64_t books;
    int64_t orders;
    int64_t pages;
    int64_t nodes;
    int64_t id_pages;
    int64_t owners;
    int64_t chunks;
} parkex_sizes;

typedef struct parkex_core parkex_core; /* opaque */

/*
 * The functions. A core is for one thread at a time. Pointers are not checked; arrays are aligned to 8 bytes. process and depth take no
 * lock of the Python interpreter, except that process does while a pool grows; the others take it for as long as they run.
 */
typedef struct parkex_api {
    int64_t abi_version;

    /* A new core, NULL when there is no memory or a size is out of range. sizes NULL: the defaults and one open book. callers_ids not 0:
     * order ids are any 64 bits that no living order has; else new ids ascend from 0. */
    parkex_core *(*create)(const parkex_sizes *sizes, int64_t callers_ids);

    /* End a core that create made; INVALID_ARGUMENT for any other. */
    int64_t (*destroy)(parkex_core *core);

    /* Number of a new empty book, the lowest that is free; -1 when there is no memory. */
    int64_t (*open_book)(parkex_core *core);

    /* Give back the number of a book; INVALID_ARGUMENT if it is not open or not empty. */
    int64_t (*close_book)(parkex_core *core, int32_t book);

    /* Orders in all books. */
    int64_t (*live_orders)(parkex_core *core);

    /*
     * Apply entries in sequence and write what happened from events[0] on. Returns a parkex_status; progress is always written:
     * entries[0 .. entries_done) are applied, events[0 .. n_events) are theirs. With EVENTS_FULL read the events and call again from
     * entries + entries_done; when n_events is 0 then, the buffer has to hold events_needed. The legs of a basket lie in one call.
     */
    int64_t (*process)(parkex_core *core, const parkex_entry *entries, int64_t n_entries, parkex_event *events, int64_t events_capacity,
                       parkex_progress *progress);

    /* Write the best levels of one side (parkex_side), best first, at most capacity. Returns how many; -1 for a book that is
     * not open, a side that is none, a negative capacity. */
    int64_t (*depth)(parkex_core *core, int32_t book, int32_t side, parkex_level *levels, int64_t capacity);
} parkex_api;

#ifdef __cplusplus
}
#endif

#endif
