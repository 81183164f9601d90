/*
 * One record of the journal as octets. Pure, any thread.
 *
 * A record begins at an offset that is a multiple of 8 and has, all little-endian:
 *
 *     0  magic            u32
 *     4  header checksum  u32  CRC-32C of octets 8 to 31, begun with the journal's salt
 *     8  payload octets   u32  without padding
 *    12  payload checksum u32  CRC-32C of payload and padding
 *    16  sequence         u64
 *    24  received         i64  microseconds since 1970 UTC
 *    32  payload, then zeros up to a multiple of 8
 *
 * Two checksums instead of one: damage in a message leaves its length and sequence known, and a
 * search for the next header costs linear time whatever the octets between look like. The salt
 * comes from the journal's random id, so that no message can contain a record that a search would
 * take for ours.
 *
 * The payload is source, flags, RET, the count of recipients (u16), peer, helo, mail_from and
 * envelope_id, then for each recipient NOTIFY, address and ORCPT; the rest is the message. A text
 * is its length (u16, 65535 for absent) and its octets.
 */
#ifndef DSND_INGEST_JOURNAL_RECORD_H
#define DSND_INGEST_JOURNAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "ingest/journal.h"

enum {
    JOURNAL_RECORD_HEADER = 32,
    JOURNAL_RECORD_ALIGN = 8,
};

struct journal_record_header {
    uint32_t payload_octets; /* at most JOURNAL_PAYLOAD_MAX */
    uint32_t payload_crc;
    uint64_t sequence;
    int64_t received_us;
};

/* Octets of a whole record, header and padding included. */
size_t journal_record_size(uint32_t payload_octets);

/*
 * Octets that the record of `message` takes. DSND_ERR_LIMIT: a text is longer than
 * JOURNAL_TEXT_MAX, there are more than JOURNAL_RECIPIENTS_MAX recipients, or the payload is larger
 * than JOURNAL_PAYLOAD_MAX.
 */
DSND_MUST_CHECK
enum dsnd_err journal_record_measure(const struct journal_message *message, size_t *ret_octets);
/* Write the record into `dst`, as many octets as measured; its sequence is still to be sealed. */
void journal_record_encode(const struct journal_message *message, char *dst);
/* Give an encoded record its sequence and with it a valid header. */
void journal_record_seal(char *record, uint32_t salt, uint64_t sequence);

/* Read JOURNAL_RECORD_HEADER octets. DSND_ERR_CORRUPT: not a header of the journal with `salt`. */
DSND_MUST_CHECK
enum dsnd_err journal_record_header_read(const char *src, uint32_t salt,
                                         struct journal_record_header *ret_header);
/* DSND_ERR_CORRUPT: the payload of the whole record `src` fails its checksum. */
DSND_MUST_CHECK
enum dsnd_err journal_record_check(const char *src, const struct journal_record_header *header);
/*
 * The message in the whole record `src`, whose payload passed journal_record_check. Views borrow
 * from `src`, the array of recipients from `arena`. DSND_ERR_CORRUPT: the payload fails its framing
 * all the same; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err journal_record_decode(const char *src, const struct journal_record_header *header,
                                    struct dsnd_arena *arena, struct journal_message *ret_message);

#endif
