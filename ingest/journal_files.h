/*
 * The file operations of the journal behind one table, so that tests can make each of them fail.
 */
#ifndef DSND_INGEST_JOURNAL_FILES_H
#define DSND_INGEST_JOURNAL_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

/* Each member is the system call of its name, with its result and errno. Any thread. */
struct journal_files {
    int (*openat)(int dir_fd, const char *name, int flags, mode_t mode);
    ssize_t (*pread)(int fd, void *dst, size_t len, off_t offset);
    ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t len);
    int (*fallocate)(int fd, int mode, off_t offset, off_t len);
    int (*renameat)(int from_fd, const char *from, int to_fd, const char *to);
    int (*unlinkat)(int dir_fd, const char *name, int flags);
    /* Octets that an unprivileged process may still write where `fd` lies; -1 and errno. */
    int (*free_octets)(int fd, uint64_t *ret_octets);
};

/* The system itself. */
extern const struct journal_files journal_files_system;

/*
 * Write all parts at `offset`; changes `parts`. A short write is gone on with once it made
 * progress. DSND_ERR_IO with errno.
 */
DSND_MUST_CHECK
enum dsnd_err journal_files_write(const struct journal_files *self, int fd, struct iovec *parts,
                                  int count, uint64_t offset);
/* Read up to `len` octets at `offset`, less only at the end of the file. DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err journal_files_read(const struct journal_files *self, int fd, char *dst, size_t len,
                                 uint64_t offset, size_t *ret_len);
/*
 * Make names in the directory durable, through a descriptor of its own: after a failed sync the
 * same descriptor may report success without having written anything. DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err journal_files_sync_dir(const struct journal_files *self, int dir_fd);
/* close(2) where errno must survive; -1 is fine. */
void journal_files_close(int fd);

#endif
