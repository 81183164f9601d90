/*
 * The file journal.id: the journal's random 128-bit id in hex, a space, its CRC-32C in hex, LF.
 * With the checksum a damaged id is known as such and taken from a segment's header instead.
 */
#ifndef DSND_INGEST_JOURNAL_ID_H
#define DSND_INGEST_JOURNAL_ID_H

#include "base/err.h"
#include "ingest/journal.h"
#include "ingest/journal_files.h"
#include "ingest/journal_segment.h"

/*
 * Read the id; where the file is missing or damaged write it anew, durably, as `known` (the id in
 * segment headers; NULL: there is none) or at random. Several processes may do so at once and get
 * the same id. DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err journal_id_get(const struct journal_files *files, int dir_fd,
                             const unsigned char known[JOURNAL_ID_OCTETS],
                             unsigned char ret_id[JOURNAL_ID_OCTETS]);

/* The id of a journal that is no folder of segments: random. DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err journal_id_random(char ret_text[JOURNAL_ID_SIZE]);

void journal_id_format(const unsigned char id[JOURNAL_ID_OCTETS], char ret_text[JOURNAL_ID_SIZE]);

#endif
