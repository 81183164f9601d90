#include "cmd/suppressions_in.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/csv_in.h"
#include "api/json_in.h"
#include "api/timestamp.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "store/codes.h"
#include "store/query_suppression.h"

enum { BATCH = 1000, RECORD_MAX = 64 * 1024, ARENA_MAX = 128 * 1024 * 1024 };

enum column {
    COLUMN_ADDRESS,
    COLUMN_HASH,
    COLUMN_CLASS,
    COLUMN_EXPIRES,
    COLUMN_NOTE,
    COLUMN_COUNT,
};
static const char *const column_names[COLUMN_COUNT] = {"address", "address_sha256", "class",
                                                       "expires_at", "note"};

struct reader {
    struct suppressions_in *self;
    struct store_conn *conn;
    FILE *file;
    struct dsnd_arena arena; /* of the batch */
    struct store_suppression entries[BATCH];
    size_t count;
    bool begun; /* the first record was read */
    bool headed;
    size_t place[COLUMN_COUNT]; /* cell of each column; SIZE_MAX: none */
    uint64_t line;
    char *text; /* of getline */
    size_t size;
    struct dsnd_buf record; /* may go over several lines */
};

static enum dsnd_err flush(struct reader *reader)
{
    int64_t changed = 0;
    enum dsnd_err err;

    if (!reader->count)
        return DSND_OK;
    err = store_suppression_put(reader->conn, reader->entries, reader->count,
                                STORE_SUPPRESSION_IMPORT, &changed);
    if (err)
        return err;
    reader->self->read += reader->count;
    reader->self->changed += (uint64_t)changed;
    reader->count = 0;
    dsnd_arena_clear(&reader->arena);
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%llu entries", (unsigned long long)reader->self->read);
    return DSND_OK;
}

static enum dsnd_err refuse(struct reader *reader, const char *why)
{
    reader->self->refused++;
    (void)fprintf(stderr, "dsnd suppressions: %s, line %llu: %s\n", reader->self->name,
                  (unsigned long long)reader->line, why);
    return DSND_OK;
}

static enum dsnd_err read_expiry(struct reader *reader, struct dsnd_str text,
                                 struct store_suppression *entry, bool *ret_good)
{
    char *time = dsnd_arena_alloc(&reader->arena, DSND_RFC3339_SIZE);
    int64_t us = 0;

    *ret_good = timestamp_parse(text, &us) == DSND_OK;
    if (!time)
        return DSND_ERR_NOMEM;
    dsnd_clock_format(us, time);
    entry->expires_at = dsnd_str_of(time);
    return DSND_OK;
}

/* 64 hexadecimal digits. */
static enum dsnd_err read_hash(struct reader *reader, struct dsnd_str text,
                               struct store_suppression *entry, bool *ret_good)
{
    struct store_hash *hash = dsnd_arena_alloc(&reader->arena, sizeof(*hash));

    if (!hash)
        return DSND_ERR_NOMEM;
    *ret_good = hex_decode(text, hash->octets, STORE_HASH_OCTETS);
    entry->hash = hash;
    return DSND_OK;
}

/* An empty cell is an absent one. */
static enum dsnd_err take(struct reader *reader, const struct dsnd_str value[COLUMN_COUNT])
{
    struct store_suppression *entry = &reader->entries[reader->count];
    enum report_class klass = reader->self->klass;
    bool good = true;
    enum dsnd_err err = DSND_OK;

    *entry = (struct store_suppression){.note = dsnd_str_of(reader->self->note)};
    if (!value[COLUMN_ADDRESS].len && value[COLUMN_HASH].len) {
        err = read_hash(reader, value[COLUMN_HASH], entry, &good);
        if (err || !good)
            return err ? err : refuse(reader, "address_sha256 is not 64 hexadecimal digits");
    } else if (!params_is_address(value[COLUMN_ADDRESS])) {
        return refuse(reader, "address is no mail address");
    }
    if (value[COLUMN_CLASS].len && report_class_from(value[COLUMN_CLASS], &klass))
        return refuse(reader, "class is not the name of a class, as mailbox_unknown");
    if (!json_in_is_plain(value[COLUMN_NOTE]))
        return refuse(reader, "note holds control characters");
    if (value[COLUMN_EXPIRES].len)
        err = read_expiry(reader, value[COLUMN_EXPIRES], entry, &good);
    if (err || !good)
        return err ? err : refuse(reader, "expires_at is no RFC 3339 time");
    entry->klass = (int)klass;
    if (!entry->hash)
        err = dsnd_arena_copy(&reader->arena, value[COLUMN_ADDRESS], &entry->address);
    if (!err && value[COLUMN_NOTE].len)
        err = dsnd_arena_copy(&reader->arena, value[COLUMN_NOTE], &entry->note);
    if (err)
        return err;
    return ++reader->count == BATCH ? flush(reader) : DSND_OK;
}

static enum dsnd_err take_json(struct reader *reader, struct dsnd_str text)
{
    struct dsnd_str value[COLUMN_COUNT] = {DSND_STR_ABSENT};
    struct params_error error;
    json_t *json = NULL;
    enum dsnd_err err;

    if (json_in_parse(text, false, &json, &error))
        return refuse(reader, "is not a JSON object");
    for (int i = 0; i < COLUMN_COUNT; i++)
        value[i] = json_in_str(json_object_get(json, column_names[i]));
    err = take(reader, value);
    json_decref(json);
    return err;
}

/* The first record names the columns, or is an address itself. */
static void read_head(struct reader *reader, const struct csv_record *record)
{
    for (int column = 0; column < COLUMN_COUNT; column++) {
        reader->place[column] = SIZE_MAX;
        for (size_t i = 0; i < record->count; i++)
            if (dsnd_str_ieq(dsnd_str_trim(record->cell[i]), dsnd_str_of(column_names[column])))
                reader->place[column] = i;
    }
    reader->headed =
        reader->place[COLUMN_ADDRESS] != SIZE_MAX || reader->place[COLUMN_HASH] != SIZE_MAX;
    if (!reader->headed)
        reader->place[COLUMN_ADDRESS] = 0;
    reader->begun = true;
}

static enum dsnd_err take_csv(struct reader *reader, struct dsnd_str text)
{
    struct dsnd_str value[COLUMN_COUNT] = {DSND_STR_ABSENT};
    bool first = !reader->begun;
    struct csv_record record;

    if (csv_in_record(&text, &reader->arena, &record))
        return refuse(reader, "is no CSV record");
    if (first)
        read_head(reader, &record);
    if (first && reader->headed)
        return DSND_OK;
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (reader->place[i] < record.count)
            value[i] = dsnd_str_trim(record.cell[reader->place[i]]);
    return take(reader, value);
}

static bool quotes_are_open(struct dsnd_str text)
{
    bool open = false;

    for (size_t i = 0; i < text.len; i++)
        open ^= text.ptr[i] == '"';
    return open;
}

/* A record of one line, or of more where a quote is open; empty at the end. */
static enum dsnd_err next_record(struct reader *reader)
{
    bool json = false;
    ssize_t len = 0;
    enum dsnd_err err = DSND_OK;

    dsnd_buf_clear(&reader->record);
    do {
        len = getline(&reader->text, &reader->size, reader->file);
        if (len <= 0)
            break;
        reader->line++;
        err = dsnd_buf_add(&reader->record, dsnd_str_make(reader->text, (size_t)len));
        json = dsnd_str_starts(dsnd_buf_str(&reader->record), DSND_STR("{"));
    } while (!err && !json && quotes_are_open(dsnd_buf_str(&reader->record)));
    return !err && len <= 0 && ferror(reader->file) ? DSND_ERR_IO : err;
}

static enum dsnd_err take_record(struct reader *reader)
{
    struct dsnd_str text = dsnd_str_trim(dsnd_buf_str(&reader->record));

    if (text.len == 0)
        return DSND_OK;
    if (text.ptr[0] == '{')
        return take_json(reader, text);
    return take_csv(reader, dsnd_buf_str(&reader->record));
}

enum dsnd_err suppressions_in_file(struct suppressions_in *self, FILE *file,
                                   struct store_conn *conn)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    enum dsnd_err err;

    if (!reader)
        return DSND_ERR_NOMEM;
    reader->self = self;
    reader->conn = conn;
    reader->file = file;
    reader->arena = DSND_ARENA_INIT(ARENA_MAX);
    reader->record = DSND_BUF_INIT(RECORD_MAX);
    for (int i = 0; i < COLUMN_COUNT; i++)
        reader->place[i] = SIZE_MAX;
    err = next_record(reader);
    while (!err && reader->record.len > 0) {
        err = take_record(reader);
        if (!err)
            err = next_record(reader);
    }
    if (err == DSND_ERR_LIMIT)
        err = refuse(reader, "is too long, or has an open quote; what follows was not read");
    if (!err)
        err = flush(reader);
    dsnd_buf_done(&reader->record);
    dsnd_arena_done(&reader->arena);
    free(reader->text);
    free(reader);
    return err;
}
