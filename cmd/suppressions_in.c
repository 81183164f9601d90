#include "cmd/suppressions_in.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/csv_in.h"
#include "api/json_in.h"
#include "api/timestamp.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "cmd/suppressions_record.h"
#include "store/codes.h"
#include "store/query_suppression.h"

enum { BATCH = 1000, ARENA_MAX = 128 * 1024 * 1024 };

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
    struct record_reader records;
    struct dsnd_arena arena; /* of the batch */
    struct store_suppression entries[BATCH];
    size_t count;
    bool begun; /* the first record was read */
    bool headed;
    size_t place[COLUMN_COUNT]; /* cell of each column; SIZE_MAX: none */
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
                  (unsigned long long)reader->records.number, why);
    return DSND_OK;
}

static enum dsnd_err read_expiry(struct reader *reader, struct dsnd_str text,
                                 struct store_suppression *entry, bool *ret_good)
{
    char *time = dsnd_arena_alloc(&reader->arena, DSND_RFC3339_SIZE);
    int64_t us = 0;

    *ret_good = timestamp_parse(text, &us) == DSND_OK && us > dsnd_clock_now_us();
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
    } else if (!json_in_is_address(value[COLUMN_ADDRESS])) {
        return refuse(reader, "address is no mail address");
    }
    if (value[COLUMN_CLASS].len && report_class_from(value[COLUMN_CLASS], &klass))
        return refuse(reader, "class is not the name of a class, as mailbox_unknown");
    if (!json_in_is_plain(value[COLUMN_NOTE]) || !utf8_valid(value[COLUMN_NOTE]))
        return refuse(reader, "note holds control characters, or is no UTF-8");
    if (value[COLUMN_EXPIRES].len)
        err = read_expiry(reader, value[COLUMN_EXPIRES], entry, &good);
    if (err || !good)
        return err ? err : refuse(reader, "expires_at is no RFC 3339 time to come");
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
    bool strings = true;
    enum dsnd_err err;

    if (json_in_parse(text, false, &json, &error))
        return refuse(reader, "is not a JSON object");
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const json_t *member = json_object_get(json, column_names[i]);

        value[i] = json_in_str(member);
        strings &= !member || json_is_null(member) || json_is_string(member);
    }
    if (strings)
        err = take(reader, value);
    else
        err = refuse(reader, "holds a member that must be a string and is none");
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
            value[i] = i == COLUMN_NOTE ? record.cell[reader->place[i]]
                                        : dsnd_str_trim(record.cell[reader->place[i]]);
    return take(reader, value);
}

static enum dsnd_err take_record(struct reader *reader)
{
    struct dsnd_str record = dsnd_buf_str(&reader->records.text);
    struct dsnd_str text = dsnd_str_trim(record);

    if (!reader->count)
        dsnd_arena_clear(&reader->arena);
    if (text.len == 0)
        return DSND_OK;
    return text.ptr[0] == '{' ? take_json(reader, text) : take_csv(reader, record);
}

static enum dsnd_err take_next(struct reader *reader, enum record_got *ret_got)
{
    enum dsnd_err err = record_next(&reader->records, ret_got);

    if (err)
        return err;
    switch (*ret_got) {
    case RECORD_END:
        break;
    case RECORD_WHOLE:
        return take_record(reader);
    case RECORD_LONG:
        return refuse(reader, "is too long");
    case RECORD_OPEN:
        return refuse(reader, "has an open quote");
    }
    return DSND_OK;
}

enum dsnd_err suppressions_in_file(struct suppressions_in *self, FILE *file,
                                   struct store_conn *conn)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    enum record_got got = RECORD_WHOLE;
    enum dsnd_err err = DSND_OK;

    if (!reader)
        return DSND_ERR_NOMEM;
    reader->self = self;
    reader->conn = conn;
    record_reader_init(&reader->records, file);
    reader->arena = DSND_ARENA_INIT(ARENA_MAX);
    for (int i = 0; i < COLUMN_COUNT; i++)
        reader->place[i] = SIZE_MAX;
    while (!err && got != RECORD_END)
        err = take_next(reader, &got);
    if (!err)
        err = flush(reader);
    record_reader_done(&reader->records);
    dsnd_arena_done(&reader->arena);
    free(reader);
    return err;
}
