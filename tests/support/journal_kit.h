/*
 * What tests of the journal share: a directory of their own, messages made from a number, a writer
 * that waits for its results, a reader that collects.
 */
#ifndef DSND_TESTS_JOURNAL_KIT_H
#define DSND_TESTS_JOURNAL_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/journal.h"
#include "ingest/journal_files.h"

enum { KIT_PATH_SIZE = 256 };

/* A new directory below TMPDIR; the journal goes into `dir`/j. kit_remove deletes it all. */
struct kit_dir {
    char root[KIT_PATH_SIZE];
    char dir[KIT_PATH_SIZE + 4];
};
void kit_make(struct kit_dir *self);
void kit_remove(struct kit_dir *self);
/* Path of a file in the journal. */
void kit_path(const struct kit_dir *self, const char *name, char ret_path[2 * KIT_PATH_SIZE]);
/* The newest (index 0), second newest ... segment's name; false when there is none. */
bool kit_segment(const struct kit_dir *self, size_t index, char ret_name[64]);
size_t kit_segments(const struct kit_dir *self);
/* Names in corrupt/. */
size_t kit_set_aside(const struct kit_dir *self);

/* Whole files. The result of kit_read is for free(). */
char *kit_read(const char *path, size_t *ret_len);
void kit_write(const char *path, const char *octets, size_t len);

/* Message number `n`: its octets name it and are `octets` long at least. */
struct kit_message {
    struct journal_recipient recipient;
    struct journal_message message;
    char *text;
    char address[64];
};
void kit_message_init(struct kit_message *self, unsigned n, size_t octets);
void kit_message_done(struct kit_message *self);
/* The number in a message that was read back; -1 when it is none of ours or not whole. */
long kit_number(const struct journal_message *message);

struct journal *kit_open(const struct kit_dir *dir, uint64_t segment_octets,
                         const struct journal_files *files);
/* Append one message and wait for its result. */
enum dsnd_err kit_append(struct journal *journal, unsigned n, size_t octets);
/* Append messages [from, to), all queued at once; how many got DSND_OK. */
size_t kit_append_many(struct journal *journal, unsigned from, unsigned to, size_t octets);

/* Everything a reader finds from `position` on. */
struct kit_found {
    long *numbers;
    uint64_t *sequences;
    size_t count;
    uint64_t *damaged; /* sequences reported as damaged */
    size_t damaged_count;
    struct journal_position after;
};
void kit_collect(struct journal_reader *reader, struct kit_found *found);
void kit_collect_dir(const struct kit_dir *dir, struct kit_found *found);
void kit_found_done(struct kit_found *self);

#endif
