#include "ingest/journal_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "ingest/journal_id.h"

static enum dsnd_err open_directory(const char *path, int *ret_fd)
{
    int fd;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return DSND_ERR_IO;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return DSND_ERR_IO;
    *ret_fd = fd;
    return DSND_OK;
}

static enum dsnd_err take_lock(struct journal_dir *self, const char *name)
{
    self->lock_fd = openat(self->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0)
        return DSND_ERR_IO;
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return DSND_OK;
    return errno == EWOULDBLOCK ? DSND_ERR_CONFLICT : DSND_ERR_IO;
}

static enum dsnd_err read_header(const struct journal_dir *self, uint64_t number,
                                 struct journal_segment_header *ret_header)
{
    char head[JOURNAL_SEGMENT_HEADER];
    size_t len = 0;
    int fd = -1;
    enum dsnd_err err = journal_dir_open_segment(self, number, O_RDONLY, &fd);

    if (err)
        return err;
    err = journal_files_read(self->files, fd, head, sizeof(head), 0, &len);
    journal_files_close(fd);
    if (!err && len < sizeof(head))
        err = DSND_ERR_CORRUPT;
    if (!err)
        err = journal_segment_header_read(head, ret_header);
    return err;
}

/*
 * No segment may be of a newer format; the id of the newest whole header is kept in case the id
 * file is lost, because without its id no record could be told from damage.
 */
static enum dsnd_err look_at_segments(const struct journal_dir *self,
                                      unsigned char id[JOURNAL_ID_OCTETS], bool *ret_known)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    bool known = false;
    enum dsnd_err err = journal_dir_list(self, &numbers, &count);

    for (size_t i = 0; i < count && !err; i++) {
        struct journal_segment_header header;

        err = read_header(self, numbers[i], &header);
        if (!err) {
            memcpy(id, header.id, JOURNAL_ID_OCTETS);
            known = true;
        }
        if (err == DSND_ERR_CORRUPT || err == DSND_ERR_NOT_FOUND)
            err = DSND_OK; /* damage is the reader's to report; deleted meanwhile is fine */
    }
    free(numbers);
    if (!err)
        *ret_known = known;
    return err;
}

static enum dsnd_err learn_id(struct journal_dir *self)
{
    unsigned char found[JOURNAL_ID_OCTETS];
    bool known = false;
    enum dsnd_err err = look_at_segments(self, found, &known);

    if (!err)
        err = journal_id_get(self->files, self->fd, known ? found : NULL, self->id);
    if (err)
        return err;
    journal_id_format(self->id, self->id_text);
    self->salt = crc32c(0, self->id, sizeof(self->id));
    return DSND_OK;
}

enum dsnd_err journal_dir_open(struct journal_dir *self, const struct journal_files *files,
                               const char *path, const char *lock)
{
    enum dsnd_err err;

    *self = (struct journal_dir){.files = files, .fd = -1, .lock_fd = -1};
    err = open_directory(path, &self->fd);
    if (!err)
        err = take_lock(self, lock);
    if (!err)
        err = learn_id(self);
    if (err)
        journal_dir_close(self);
    return err;
}

void journal_dir_close(struct journal_dir *self)
{
    journal_files_close(self->lock_fd);
    journal_files_close(self->fd);
    self->lock_fd = -1;
    self->fd = -1;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static enum dsnd_err list_into(DIR *dir, uint64_t **numbers, size_t *count)
{
    size_t size = 0;

    for (;;) {
        struct dirent *entry;
        uint64_t number;

        errno = 0;
        entry = readdir(dir); /* a stream of our own: nobody else moves it */
        if (!entry)
            return errno ? DSND_ERR_IO : DSND_OK;
        if (!journal_segment_number(entry->d_name, &number))
            continue;
        if (*count == size) {
            uint64_t *more = reallocarray(*numbers, size * 2 + 64, sizeof(**numbers));

            if (!more)
                return DSND_ERR_NOMEM;
            *numbers = more;
            size = size * 2 + 64;
        }
        (*numbers)[(*count)++] = number;
    }
}

enum dsnd_err journal_dir_list(const struct journal_dir *self, uint64_t **ret_numbers,
                               size_t *ret_count)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    enum dsnd_err err = DSND_ERR_IO;
    int fd = openat(self->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        journal_files_close(fd);
        return DSND_ERR_IO;
    }
    err = list_into(dir, &numbers, &count);
    (void)closedir(dir);
    if (err) {
        free(numbers);
        return err;
    }
    if (count)
        qsort(numbers, count, sizeof(*numbers), compare_numbers);
    *ret_numbers = numbers;
    *ret_count = count;
    return DSND_OK;
}

enum dsnd_err journal_dir_open_segment(const struct journal_dir *self, uint64_t number,
                                       int open_flags, int *ret_fd)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE];
    int fd;

    journal_segment_name(number, name);
    fd = self->files->openat(self->fd, name, open_flags | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOENT ? DSND_ERR_NOT_FOUND : DSND_ERR_IO;
    *ret_fd = fd;
    return DSND_OK;
}

static int open_copy(const struct journal_dir *self, uint64_t number, uint64_t from, uint64_t to)
{
    char name[80];
    int len = snprintf(name, sizeof(name), "corrupt/%016" PRIx64 "-%" PRIu64 "-%" PRIu64 ".bin",
                       number, from, to);

    if (len < 0 || (size_t)len >= sizeof(name))
        return -1;
    if (mkdirat(self->fd, "corrupt", 0700) != 0 && errno != EEXIST)
        return -1;
    return openat(self->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

void journal_dir_set_aside(const struct journal_dir *self, int segment_fd, uint64_t number,
                           uint64_t from, uint64_t to)
{
    enum { CHUNK = 65536 };
    char *chunk = malloc(CHUNK);
    int fd = open_copy(self, number, from, to);

    while (chunk && fd >= 0 && from < to) {
        size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
        size_t len = 0;

        if (journal_files_read(self->files, segment_fd, chunk, want, from, &len) != DSND_OK ||
            len == 0 || write(fd, chunk, len) != (ssize_t)len)
            break;
        from += len;
    }
    journal_files_close(fd);
    free(chunk);
}
