/*
 * journal_open for tests: with file operations of their own.
 */
#ifndef DSND_INGEST_JOURNAL_OPEN_H
#define DSND_INGEST_JOURNAL_OPEN_H

#include "ingest/journal.h"
#include "ingest/journal_files.h"

/* As journal_open; `files` must outlive the journal. */
DSND_MUST_CHECK
enum dsnd_err journal_open_with(const struct journal_settings *settings,
                                const struct journal_files *files, struct journal **ret_journal);

#endif
