#include "cmd/mail_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { READ_OCTETS = 64 * 1024, NAME_EXTRA = 24, SMALL_OCTETS = 256 * 1024 };

struct walk {
    mail_files_fn take;
    void *context;
    char *room;               /* SMALL_OCTETS, once a file was read; NULL before */
    enum dsnd_err unreadable; /* DSND_ERR_IO once something could not be read */
};

static void complain(struct walk *self, const char *path, int error)
{
    (void)fprintf(stderr, "dsnd: %s: %s\n", path, strerror(error));
    self->unreadable = DSND_ERR_IO;
}

/* "From someone Mon Nov 23 10:00:00 2026" and a header field on the line behind it. */
static bool is_mark(struct dsnd_str rest)
{
    struct dsnd_str line = dsnd_str_line(&rest);
    struct dsnd_str field = dsnd_str_line(&rest);
    size_t colon = dsnd_str_chr(field, ':');
    size_t space = dsnd_str_chr(field, ' ');

    return dsnd_str_starts(line, DSND_STR("From ")) && dsnd_str_chr(line, ':') != SIZE_MAX &&
           dsnd_is_digit(line.ptr[line.len - 1]) && colon != SIZE_MAX && colon > 0 && colon < space;
}

/* Where the next message of an mbox begins; the end if there is none. */
static size_t next_mark(struct dsnd_str octets, size_t from)
{
    struct dsnd_str rest = dsnd_str_slice(octets, from, octets.len);
    bool blank = false;

    while (rest.len) {
        size_t at = (size_t)(rest.ptr - octets.ptr);

        if (blank && rest.ptr[0] == 'F' && is_mark(rest))
            return at;
        blank = dsnd_str_line(&rest).len == 0;
    }
    return octets.len;
}

static enum dsnd_err take_mbox(struct walk *self, const char *path, struct dsnd_str octets)
{
    size_t size = strlen(path) + NAME_EXTRA;
    char *name = malloc(size);
    enum dsnd_err err = name ? DSND_OK : DSND_ERR_NOMEM;
    size_t start = 0;

    for (size_t n = 1; start < octets.len && !err; n++) {
        size_t end = next_mark(octets, start);
        struct dsnd_str message = dsnd_str_slice(octets, start, end);

        (void)dsnd_str_line(&message); /* the mark itself */
        (void)snprintf(name, size, "%s:%zu", path, n);
        err = self->take(self->context, dsnd_str_of(name), message);
        start = end;
    }
    free(name);
    return err;
}

static enum dsnd_err take_octets(struct walk *self, const char *path, struct dsnd_str octets)
{
    bool is_single = dsnd_str_iends(dsnd_str_of(path), DSND_STR(".eml"));

    if (!is_single && dsnd_str_starts(octets, DSND_STR("From ")) &&
        next_mark(octets, 0) < octets.len)
        return take_mbox(self, path, octets);
    return self->take(self->context, dsnd_str_of(path), octets);
}

static enum dsnd_err take_mapped(struct walk *self, const char *path, int fd, size_t size)
{
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    enum dsnd_err err;

    if (map == MAP_FAILED) {
        complain(self, path, errno);
        return DSND_OK;
    }
    err = take_octets(self, path, dsnd_str_make(map, size));
    (void)munmap(map, size);
    return err;
}

/* A file of `size` octets, read: for a small one that costs less than a map of its own. */
static enum dsnd_err take_small(struct walk *self, const char *path, int fd, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;

    if (!self->room)
        self->room = malloc(SMALL_OCTETS);
    if (!self->room)
        return DSND_ERR_NOMEM;
    while (len < size && got > 0) {
        got = read(fd, self->room + len, size - len);
        if (got > 0)
            len += (size_t)got;
    }
    if (got < 0) {
        complain(self, path, errno);
        return DSND_OK;
    }
    return take_octets(self, path, dsnd_str_make(self->room, len));
}

static enum dsnd_err take_file(struct walk *self, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum dsnd_err err = DSND_OK;
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) != 0) {
        complain(self, path, errno);
    } else if ((uint64_t)stat.st_size > MAIL_FILES_OCTETS_MAX) {
        complain(self, path, EFBIG);
    } else if (stat.st_size == 0) {
        err = take_octets(self, path, DSND_STR(""));
    } else if (stat.st_size <= SMALL_OCTETS) {
        err = take_small(self, path, fd, (size_t)stat.st_size);
    } else {
        err = take_mapped(self, path, fd, (size_t)stat.st_size);
    }
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum dsnd_err take_input(struct walk *self)
{
    struct dsnd_buf all = DSND_BUF_INIT(MAIL_FILES_OCTETS_MAX);
    enum dsnd_err err = DSND_OK;
    ssize_t got = 1;

    while (!err && got > 0) {
        err = dsnd_buf_reserve(&all, READ_OCTETS);
        if (err)
            break;
        got = read(STDIN_FILENO, all.ptr + all.len, READ_OCTETS);
        if (got > 0)
            all.len += (size_t)got;
    }
    if (err == DSND_ERR_LIMIT || got < 0) {
        complain(self, "standard input", err ? EFBIG : errno);
        err = DSND_OK;
    } else if (!err) {
        err = take_octets(self, "-", dsnd_buf_str(&all));
    }
    dsnd_buf_done(&all);
    return err;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* What is being delivered into a maildir is no message yet: its folder "tmp" beside "cur". */
static bool is_maildir_tmp(const FTSENT *entry)
{
    char *cur;
    bool is_maildir;

    if (entry->fts_info != FTS_D || strcmp(entry->fts_name, "tmp") != 0)
        return false;
    if (asprintf(&cur, "%.*scur", (int)(entry->fts_pathlen - 3), entry->fts_path) < 0)
        return false;
    is_maildir = access(cur, F_OK) == 0;
    free(cur);
    return is_maildir;
}

static bool is_left_out(const FTSENT *entry)
{
    return entry->fts_level != FTS_ROOTLEVEL &&
           (entry->fts_name[0] == '.' || is_maildir_tmp(entry));
}

static enum dsnd_err take_tree(struct walk *self, const char *path)
{
    char *copy = strdup(path);
    char *roots[] = {copy, NULL};
    FTS *tree = copy ? fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name) : NULL;
    enum dsnd_err err = tree ? DSND_OK : DSND_ERR_NOMEM;
    FTSENT *entry;

    while (!err && (entry = fts_read(tree))) {
        if (is_left_out(entry))
            (void)fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F)
            err = take_file(self, entry->fts_path);
        else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                 entry->fts_info == FTS_NS)
            complain(self, entry->fts_path, entry->fts_errno);
    }
    if (tree)
        (void)fts_close(tree);
    free(copy);
    return err;
}

enum dsnd_err mail_files_walk(const char *path, mail_files_fn take, void *context)
{
    struct walk walk = {.take = take, .context = context};
    enum dsnd_err err = strcmp(path, "-") == 0 ? take_input(&walk) : take_tree(&walk, path);

    free(walk.room);
    return err ? err : walk.unreadable;
}
