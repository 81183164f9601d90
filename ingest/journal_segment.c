#include "ingest/journal_segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/hex.h"
#include "ingest/journal_octets.h"

static const char magic[8] = {'d', 's', 'n', 'd', 'j', 'r', 'n', 'l'};

void journal_segment_name(uint64_t number, char ret_name[JOURNAL_SEGMENT_NAME_SIZE])
{
    int len = snprintf(ret_name, JOURNAL_SEGMENT_NAME_SIZE, "%016" PRIx64 ".seg", number);

    assert(len == 20);
    (void)len;
}

bool journal_segment_number(const char *name, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (int i = 0; i < 16; i++) {
        int value = hex_value(name[i]); /* a NUL ends it too */

        if (value < 0 || name[i] != dsnd_lower(name[i]))
            return false;
        number = number << 4 | (uint64_t)value;
    }
    if (strcmp(name + 16, ".seg") != 0 || number == 0 || number > JOURNAL_SEGMENT_MAX)
        return false;
    *ret_number = number;
    return true;
}

void journal_segment_header_write(const struct journal_segment_header *self,
                                  char dst[JOURNAL_SEGMENT_HEADER])
{
    memset(dst, 0, JOURNAL_SEGMENT_HEADER);
    memcpy(dst, magic, sizeof(magic));
    journal_put_u32(dst + 12, self->version);
    memcpy(dst + 16, self->id, JOURNAL_ID_OCTETS);
    journal_put_u64(dst + 32, self->number);
    journal_put_u64(dst + 40, self->first_sequence);
    journal_put_u64(dst + 48, (uint64_t)self->made_us);
    journal_put_u32(dst + 8, crc32c(0, dst + 12, JOURNAL_SEGMENT_HEADER - 12));
}

enum dsnd_err journal_segment_header_read(const char src[JOURNAL_SEGMENT_HEADER],
                                          struct journal_segment_header *ret_header)
{
    if (memcmp(src, magic, sizeof(magic)) != 0)
        return DSND_ERR_CORRUPT;
    if (journal_get_u32(src + 8) != crc32c(0, src + 12, JOURNAL_SEGMENT_HEADER - 12))
        return DSND_ERR_CORRUPT;
    ret_header->version = journal_get_u32(src + 12);
    if (ret_header->version > JOURNAL_FORMAT_VERSION)
        return DSND_ERR_VERSION;
    memcpy(ret_header->id, src + 16, JOURNAL_ID_OCTETS);
    ret_header->number = journal_get_u64(src + 32);
    ret_header->first_sequence = journal_get_u64(src + 40);
    ret_header->made_us = (int64_t)journal_get_u64(src + 48);
    return DSND_OK;
}

/* Reserving saves metadata writes in later syncs; where it is not possible the file just grows. */
static enum dsnd_err reserve(const struct journal_files *files, int fd, uint64_t octets)
{
    if (octets == 0 || files->fallocate(fd, 0, 0, (off_t)octets) == 0)
        return DSND_OK;
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)
        return DSND_OK;
    return DSND_ERR_IO;
}

enum dsnd_err journal_segment_make(const struct journal_files *files, int dir_fd,
                                   const struct journal_segment_header *header, uint64_t octets,
                                   int *ret_fd)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE];
    char head[JOURNAL_SEGMENT_HEADER];
    struct iovec part = {head, sizeof(head)};
    enum dsnd_err err;
    int fd;

    journal_segment_name(header->number, name);
    journal_segment_header_write(header, head);
    fd = files->openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return DSND_ERR_IO;
    err = reserve(files, fd, octets);
    if (!err)
        err = journal_files_write(files, fd, &part, 1, 0);
    if (!err && files->fsync(fd) != 0)
        err = DSND_ERR_IO;
    if (!err)
        err = journal_files_sync_dir(files, dir_fd);
    if (err) {
        int saved = errno;

        (void)files->unlinkat(dir_fd, name, 0); /* empty: harmless if it stays */
        journal_files_close(fd);
        errno = saved;
        return err;
    }
    *ret_fd = fd;
    return DSND_OK;
}
