/*
 * The journal: an append-only sequence of segment files that stands between SMTP and everything
 * else. A message is acknowledged only after its record was written and fdatasync returned.
 *
 * Directory:
 *     journal.id            the journal's random 128-bit id, hex; made once
 *     journal.state         shared memory of writer and reader (struct journal_shared)
 *     journal.writer        lock of the one writer process; journal.reader: of the one reader
 *     <number>.seg          segments, 16 hex digits, ascending
 *     corrupt/              octets that recovery or reading had to skip
 *
 * Every record carries a sequence number that only grows. The reader's position is the last
 * sequence stored in PostgreSQL, so each record is stored once, whatever is killed when.
 */
#ifndef DSND_INGEST_JOURNAL_H
#define DSND_INGEST_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    JOURNAL_ID_SIZE = 33, /* 32 hex digits and NUL */
    JOURNAL_RECIPIENTS_MAX = 1000,
    JOURNAL_TEXT_MAX = 65534,                    /* octets of one text of the envelope */
    JOURNAL_PAYLOAD_MAX = 65 * 1024 * 1024,      /* octets of envelope and message together */
    JOURNAL_QUEUE_OCTETS_MAX = 64 * 1024 * 1024, /* that may wait for the committer */
};

/* What SMTP said of one recipient (RFC 5321, RFC 3461). */
struct journal_recipient {
    struct dsnd_str address;            /* forward path, without < and > */
    struct dsnd_str original_recipient; /* ORCPT as given, "type;xtext"; absent if none */
    uint8_t notify;                     /* OR of JOURNAL_NOTIFY_*; 0 when not given */
};

enum {
    JOURNAL_NOTIFY_NEVER = 1,
    JOURNAL_NOTIFY_SUCCESS = 2,
    JOURNAL_NOTIFY_FAILURE = 4,
    JOURNAL_NOTIFY_DELAY = 8,
};

/* How the message came: evidence differs. The numbers are stored. */
enum journal_source {
    JOURNAL_SOURCE_SMTP = 1,
    JOURNAL_SOURCE_LMTP = 2,
    JOURNAL_SOURCE_SUBMISSION = 3, /* after AUTH on the private listener: our own MTA */
    JOURNAL_SOURCE_IMPORT = 4,
    JOURNAL_SOURCE_LOG = 5, /* no message: a line of a mail server's log; never in a journal */
};

/* One message with its envelope. All views are borrowed. */
struct journal_message {
    int64_t received_us; /* wall clock, microseconds since 1970 UTC */
    enum journal_source source;
    bool tls;
    bool smtputf8;
    bool body_8bit;              /* BODY=8BITMIME or BINARYMIME */
    uint8_t ret;                 /* RFC 3461 RET: 0 not given, 1 FULL, 2 HDRS */
    struct dsnd_str peer;        /* address text, "192.0.2.7" or "2001:db8::1" */
    struct dsnd_str helo;        /* EHLO, HELO or LHLO argument */
    struct dsnd_str mail_from;   /* reverse path without < and >; empty for <> */
    struct dsnd_str envelope_id; /* ENVID as given (xtext); absent if none */
    const struct journal_recipient *recipients;
    size_t recipient_count;
    struct dsnd_str octets; /* the message as it came, dots unstuffed */
};

/* ---- writing ---- */

struct journal;

struct journal_settings {
    const char *dir;
    uint64_t segment_octets;
    uint64_t min_free_octets; /* below it appends are refused with DSND_ERR_LIMIT */
};

/*
 * Open or create the journal at `dir`, take its lock, cut a torn tail, sync, and start the
 * committer thread. At most one writer a directory. Damage inside acknowledged records stays where
 * it is; the reader reports it.
 *
 * DSND_ERR_CONFLICT: another process writes there; DSND_ERR_VERSION: a newer format, untouched;
 * DSND_ERR_LIMIT: segment numbers are used up; DSND_ERR_NOMEM; DSND_ERR_IO with errno.
 */
DSND_MUST_CHECK
enum dsnd_err journal_open(const struct journal_settings *settings, struct journal **ret_journal);
/* Commit what waits, call its callbacks, stop the thread, seal the segment. */
void journal_close(struct journal *self);

/*
 * `err` is DSND_OK once the record is durable under `sequence`. Else nothing of it is kept:
 * DSND_ERR_LIMIT no space above the reserve (452 4.3.1), DSND_ERR_IO write or sync failed
 * (451 4.3.0). Called once per append, on the committer thread: hand the result to your own loop.
 */
typedef void (*journal_done_fn)(void *context, enum dsnd_err err, uint64_t sequence);

/*
 * Queue one message for the next group commit. Any thread; copies all of it before it returns.
 * DSND_ERR_LIMIT: too little disk space, or too many octets wait already; DSND_ERR_NOMEM;
 * DSND_ERR_UNAVAILABLE: closing. `done` is not called where this returns an error.
 */
DSND_MUST_CHECK
enum dsnd_err journal_append(struct journal *self, const struct journal_message *message,
                             journal_done_fn done, void *context);

/* Space above the reserve is there now; cheap, any thread. For 452 at MAIL. */
bool journal_has_space(const struct journal *self);

/*
 * 0 while the journal accepts; else the errno of the write or sync that made it stop. It tries
 * again every second by itself. Any thread. For log lines and readiness.
 */
int journal_failure(const struct journal *self);

/* What journal_open found, for a log line. */
struct journal_recovery {
    uint64_t records;        /* whole records in the newest segment */
    uint64_t cut_octets;     /* of a torn tail, never acknowledged */
    uint64_t damaged_octets; /* of acknowledged records, left for the reader to report */
    uint64_t last_sequence;  /* appends go on behind it */
};
const struct journal_recovery *journal_recovered(const struct journal *self);

/* ---- reading ---- */

struct journal_reader;

/* A place in the journal: everything up to and including `sequence` has been stored. */
struct journal_position {
    uint64_t sequence; /* 0: nothing yet */
    uint64_t segment;  /* a hint where to look first; 0: the oldest */
    uint64_t offset;
};

struct journal_record {
    struct journal_message message; /* borrows from the reader until the batch is released */
    uint64_t sequence;
    struct journal_position after; /* the position once this record is stored */
};

/*
 * Open the journal at `dir` for reading; the directory is created when it is missing, so that
 * reader and writer can start in any order. One thread at a time uses the reader, except
 * journal_reader_mark. DSND_ERR_CONFLICT: another reader; DSND_ERR_VERSION; DSND_ERR_NOMEM;
 * DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err journal_reader_open(const char *dir, struct journal_reader **ret_reader);
void journal_reader_close(struct journal_reader *self);

/* The journal's id, hex; borrowed. */
const char *journal_reader_id(const struct journal_reader *self);

/*
 * Continue behind `position`. DSND_ERR_NOT_FOUND: records between it and the oldest kept are gone;
 * the reader then stands before the oldest kept. DSND_ERR_IO, DSND_ERR_NOMEM, DSND_ERR_VERSION.
 */
DSND_MUST_CHECK
enum dsnd_err journal_reader_seek(struct journal_reader *self,
                                  const struct journal_position *position);

/*
 * The next durable record, or DSND_ERR_NOT_FOUND when there is none now.
 *
 * DSND_ERR_CORRUPT: the next record is damaged; it was copied to corrupt/ and counted, and the
 * reader goes on behind it. `*ret_record` then holds what is known: `sequence`, `after`, the
 * damaged octets as `message.octets` (cut at JOURNAL_DAMAGE_MAX) and, where its header is whole,
 * `message.received_us` (else 0); the rest is absent. Where several records in a row are lost
 * together, `sequence` is that of the first.
 *
 * DSND_ERR_IO, DSND_ERR_NOMEM, DSND_ERR_VERSION: nothing was skipped, the call may be repeated.
 * Views stay valid until journal_reader_release.
 */
DSND_MUST_CHECK
enum dsnd_err journal_reader_next(struct journal_reader *self, struct journal_record *ret_record);
enum { JOURNAL_DAMAGE_MAX = 1024 * 1024 };
/* Forget the views handed out so far. */
void journal_reader_release(struct journal_reader *self);

/* Sleep until the writer committed more, at most `timeout_ms`. */
void journal_reader_wait(struct journal_reader *self, unsigned timeout_ms);

/*
 * Everything up to `position` is stored: tell the writer, delete segments wholly stored whose last
 * record is older than `keep_us` before `now_us`, sync the directory. DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err journal_reader_applied(struct journal_reader *self,
                                     const struct journal_position *position, int64_t now_us,
                                     int64_t keep_us);

/*
 * Octets durable behind the last position given to journal_reader_seek or journal_reader_applied,
 * and when the oldest of them was received (0: none). A few system calls; for a gauge.
 */
void journal_reader_backlog(struct journal_reader *self, uint64_t *ret_octets,
                            int64_t *ret_oldest_us);

/* ---- what killed the reader ---- */

enum { JOURNAL_WORKERS_MAX = 16 };

/*
 * Note in shared memory that `worker` begins to parse `sequence` (0: it is done), so that the next
 * start knows what it died on. Survives the process, not the machine.
 */
void journal_reader_mark(struct journal_reader *self, unsigned worker, uint64_t sequence);
/*
 * The process is about to end by a fault of its own: what is marked is to blame. Without it, a
 * death may have come from outside, and only four of these count as one. Async-signal-safe.
 */
void journal_reader_blame(struct journal_reader *self);
/*
 * How often a reader died with `sequence` marked; counted when the reader is opened. A reader that
 * is closed dies of nothing.
 */
unsigned journal_reader_deaths(const struct journal_reader *self, uint64_t sequence);

#endif
