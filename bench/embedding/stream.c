/*
 * A program that drives the matching core through its C interface: it reads a LOBSTRM1 stream from memory (bench/workloads/lobstrm.py has
 * the layout), applies it in calls of `batch` messages, and tells the trades, their hash and the time of a message.
 *
 * Built as a shared library, since the core lives in a Python process: Python loads it and hands it the function pointers.
 */
#define _POSIX_C_SOURCE 199309L

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parkex_core.h"

enum { HEADER_BYTES = 64, RECORD_BYTES = 24, OWNERS = 128 };
enum message_type { ADD = 1, CANCEL = 2, REPLACE = 3, IOC = 4 };

typedef struct {
    uint8_t type, side;
    uint16_t symbol;
    uint32_t quantity;
    uint64_t id;
    int32_t price, delta;
} message;

typedef struct {
    int64_t n_messages, n_events, trades, volume, live_orders;
    uint64_t hash;
    double ns_per_message;
} stream_result;

enum stream_status { STREAM_DONE = 0, STREAM_WRONG_ABI, STREAM_MALFORMED, STREAM_NO_MEMORY };

typedef struct {
    const parkex_api *api;
    parkex_core *core;
    parkex_event *events;
    int64_t capacity;
    int fold; /* whether the trades are hashed */
    stream_result *result;
} run;

/* A message as an entry. Buyers and sellers are different owners, so that no order meets one of its own. */
static parkex_entry entry_of(const message *from) {
    parkex_entry entry;
    memset(&entry, 0, sizeof entry);
    entry.order_id = (int64_t)from->id;
    entry.quantity_lots = from->quantity;
    entry.price_ticks = from->price;
    entry.book = from->symbol;
    entry.owner = (int32_t)(from->id % (OWNERS / 2) * 2 + from->side);
    entry.kind = from->type == CANCEL ? PARKEX_ENTRY_KIND_CANCEL : from->type == REPLACE ? PARKEX_ENTRY_KIND_AMEND : PARKEX_ENTRY_KIND_PLACE;
    entry.side = from->side;
    entry.time_in_force = from->type == IOC ? PARKEX_TIME_IN_FORCE_IOC : PARKEX_TIME_IN_FORCE_GTC;
    return entry;
}

static void fold_trades(const parkex_event *events, int64_t n, stream_result *result) {
    for (int64_t i = 0; i < n; i++) {
        const parkex_event *event = &events[i];
        if (event->kind != PARKEX_EVENT_KIND_FILLED) continue;
        uint64_t mixed = (uint64_t)event->counter_id * 0x100000001B3u + (uint64_t)event->order_id * 0x9E3779B1u;
        mixed += (uint64_t)(int64_t)event->price_ticks * 0x85EBCA77u + event->quantity_lots;
        result->hash = (result->hash ^ mixed) * 0x9E3779B97F4A7C15u;
        result->trades++;
        result->volume += event->quantity_lots;
    }
}

/* Apply all entries of one call, whatever room their events ask for. */
static int process_all(run *run, const parkex_entry *entries, int64_t n) {
    parkex_progress progress;
    for (;;) {
        int64_t status = run->api->process(run->core, entries, n, run->events, run->capacity, &progress);
        if (run->fold) fold_trades(run->events, progress.n_events, run->result);
        run->result->n_events += progress.n_events;
        if (status == PARKEX_STATUS_DONE) return STREAM_DONE;
        if (status != PARKEX_STATUS_EVENTS_FULL) return STREAM_NO_MEMORY;
        entries += progress.entries_done;
        n -= progress.entries_done;
        if (progress.events_needed > run->capacity) {
            parkex_event *larger = realloc(run->events, (size_t)progress.events_needed * sizeof *larger);
            if (!larger) return STREAM_NO_MEMORY;
            run->events = larger;
            run->capacity = progress.events_needed;
        }
    }
}

static int process_in_batches(run *run, const parkex_entry *entries, int64_t n, int64_t batch) {
    for (int64_t i = 0; i < n; i += batch) {
        int status = process_all(run, entries + i, n - i < batch ? n - i : batch);
        if (status) return status;
    }
    return STREAM_DONE;
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Build the books with the first `n_warm` entries, then time the rest. */
static int time_entries(run *run, const parkex_entry *entries, int64_t n_warm, int64_t n, int64_t batch) {
    int fold = run->fold;
    run->fold = 0;
    int status = process_in_batches(run, entries, n_warm, n_warm);
    if (status) return status;
    run->fold = fold;
    memset(run->result, 0, sizeof *run->result);
    double start_ns = now_ns();
    status = process_in_batches(run, entries + n_warm, n - n_warm, batch);
    run->result->ns_per_message = (now_ns() - start_ns) / (double)(n - n_warm);
    run->result->n_messages = n - n_warm;
    run->result->live_orders = run->api->live_orders(run->core);
    return status;
}

/* Entries of the `n` records behind the header; NULL without memory. */
static parkex_entry *read_entries(const unsigned char *records, int64_t n) {
    parkex_entry *entries = malloc((size_t)n * sizeof *entries);
    for (int64_t i = 0; entries && i < n; i++) {
        message from;
        memcpy(&from, records + i * RECORD_BYTES, sizeof from);
        entries[i] = entry_of(&from);
    }
    return entries;
}

/* Room for the whole stream, so that nothing grows while the clock runs. */
static parkex_sizes sizes_for(uint32_t books, uint32_t n_warm) {
    parkex_sizes sizes = {0};
    sizes.books = books;
    sizes.orders = 4 * (int64_t)n_warm + 100000;
    sizes.pages = 8 * (int64_t)books + 64;
    sizes.nodes = 4 * (int64_t)books + 64;
    sizes.id_pages = (int64_t)n_warm / 64 + 512;
    sizes.owners = 2 * OWNERS;
    sizes.chunks = (int64_t)n_warm + 16384;
    return sizes;
}

/*
 * Drive a new core with the stream in `file`, with a first buffer of `capacity` events; the trades are hashed if `fold` is not 0, which
 * takes time of its own. Returns a stream_status. The result is complete with STREAM_DONE only.
 */
int run_stream(const parkex_api *api, const unsigned char *file, int64_t size, int64_t batch, int64_t capacity, int fold, stream_result *result) {
    uint32_t head[4]; /* bytes of a record, books, warm-up records, resting orders */
    uint64_t n;
    if (api->abi_version != PARKEX_ABI_VERSION) return STREAM_WRONG_ABI;
    if (size < HEADER_BYTES || batch < 1 || capacity < 1 || memcmp(file, "LOBSTRM1", 8) != 0) return STREAM_MALFORMED;
    memcpy(head, file + 8, sizeof head);
    memcpy(&n, file + 24, sizeof n);
    if (head[0] != RECORD_BYTES || (size - HEADER_BYTES) % RECORD_BYTES != 0) return STREAM_MALFORMED;
    if (n != (uint64_t)(size - HEADER_BYTES) / RECORD_BYTES || head[2] < 1 || head[2] >= n) return STREAM_MALFORMED;
    parkex_sizes sizes = sizes_for(head[1], head[2]);
    run run = {api, api->create(&sizes, 0), malloc((size_t)capacity * sizeof(parkex_event)), capacity, fold, result};
    parkex_entry *entries = read_entries(file + HEADER_BYTES, (int64_t)n);
    int status = STREAM_NO_MEMORY;
    if (run.core && run.events && entries) status = time_entries(&run, entries, head[2], (int64_t)n, batch);
    free(entries);
    free(run.events);
    if (run.core) api->destroy(run.core);
    return status;
}
