#include "cmd/log_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "ingest/journal_id.h"

void log_file_close(struct log_file *self)
{
    if (self->fd >= 0)
        (void)close(self->fd);
    self->fd = -1;
}

enum dsnd_err log_file_look(struct log_file *self)
{
    char front[LOG_FRONT_MAX];
    struct stat status;
    ssize_t got = pread(self->fd, front, sizeof(front), 0);

    if (got < 0 || fstat(self->fd, &status) != 0)
        return DSND_ERR_IO;
    /* It grows; with another front it is another file, which log_file_was_replaced tells. */
    if ((size_t)got < self->front_octets || memcmp(front, self->front, self->front_octets) != 0)
        return DSND_OK;
    memcpy(self->front, front, (size_t)got);
    self->front_octets = (size_t)got;
    self->inode = (uint64_t)status.st_ino;
    self->size = (uint64_t)status.st_size;
    self->modified = status.st_mtim;
    return DSND_OK;
}

enum dsnd_err log_file_open(const char *path, struct log_file *ret_file)
{
    struct stat status;
    enum dsnd_err err = DSND_OK;

    *ret_file = (struct log_file){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (ret_file->fd < 0 || fstat(ret_file->fd, &status) != 0)
        err = DSND_ERR_IO;
    else if (!S_ISREG(status.st_mode))
        err = DSND_ERR_NOT_FOUND;
    if (!err)
        err = dsnd_str_copy(dsnd_str_of(path), ret_file->path, sizeof(ret_file->path));
    if (!err)
        err = log_file_look(ret_file);
    if (err)
        log_file_close(ret_file);
    return err;
}

static enum dsnd_err hash_front(const struct log_file *self, size_t octets,
                                struct store_hash *ret_hash)
{
    struct dsnd_str front = {self->front, octets};

    return store_hash_of(&front, 1, ret_hash);
}

bool log_file_was_replaced(const struct log_file *self, uint64_t offset)
{
    char front[LOG_FRONT_MAX];
    struct stat status;
    ssize_t got = pread(self->fd, front, self->front_octets, 0);

    if (fstat(self->fd, &status) != 0 || got < 0)
        return false;
    /* Of a compressed file the offset says nothing of its size. */
    return (size_t)got < self->front_octets || memcmp(front, self->front, (size_t)got) != 0 ||
           ((uint64_t)status.st_size < offset && (uint64_t)status.st_size < self->size);
}

bool log_file_is_at(const struct log_file *self, const char *path)
{
    struct stat there;

    return stat(path, &there) != 0 || (uint64_t)there.st_ino == self->inode;
}

enum dsnd_err log_file_record(struct log_file *self, struct store_conn *conn, int64_t source_id)
{
    struct store_log_file file = {.inode = self->inode, .name = dsnd_str_of(self->path)};
    struct store_hash hash;
    enum dsnd_err err = log_file_look(self);

    if (!err && self->is_known && self->known_octets == self->front_octets)
        return DSND_OK;
    if (!err)
        err = hash_front(self, self->front_octets, &hash);
    if (!err && !self->journal[0])
        err = journal_id_random(self->journal);
    if (err)
        return err;
    file.journal = dsnd_str_of(self->journal);
    file.front_octets = self->front_octets;
    file.front_sha256 = dsnd_str_make((const char *)hash.octets, sizeof(hash.octets));
    err = self->is_known ? store_log_file_set(conn, &file)
                         : store_log_file_add(conn, source_id, &file);
    if (!err) {
        self->is_known = true;
        self->known_octets = self->front_octets;
    }
    return err;
}

enum dsnd_err log_file_end(struct log_file *self, struct store_conn *conn)
{
    const struct store_log_file file = {
        .journal = dsnd_str_of(self->journal),
        .inode = self->inode,
        .name = dsnd_str_of(self->path),
        .octets = self->size,
        .modified_ns =
            (int64_t)self->modified.tv_sec * INT64_C(1000000000) + self->modified.tv_nsec,
    };
    enum dsnd_err err = store_log_file_done(conn, &file);

    self->is_done = !err;
    return err;
}

/* ---- what the database knows ---- */

/* The hash of a front as rows have it, kept for the next row: most are of the same length. */
struct front_hash {
    size_t octets; /* 0: none yet */
    char hex[2 * STORE_HASH_OCTETS + 1];
};

static enum dsnd_err keep_hash(const struct log_file *self, size_t octets, struct front_hash *kept)
{
    struct store_hash hash;
    enum dsnd_err err = kept->octets == octets ? DSND_OK : hash_front(self, octets, &hash);

    if (err || kept->octets == octets)
        return err;
    hex_encode(hash.octets, STORE_HASH_OCTETS, kept->hex);
    kept->octets = octets;
    return DSND_OK;
}

/* A first line may be the same in all files: the header line of CSV. Any other has its time. */
static bool tells_apart(const struct log_file *self, size_t octets)
{
    const char *end = memchr(self->front, '\n', octets);
    bool is_header = dsnd_str_istarts(dsnd_str_make(self->front, octets), DSND_STR("type,"));

    return octets == LOG_FRONT_MAX || (end && (!is_header || end + 1 < self->front + octets));
}

/* The file begins as the one of this row did. */
static bool begins_as(const struct log_file *self, const struct store_rows *rows, size_t row,
                      struct front_hash *kept)
{
    size_t octets = (size_t)store_rows_int(rows, row, STORE_LOG_FILE_FRONT_OCTETS);

    if (!octets || octets > self->front_octets || keep_hash(self, octets, kept))
        return false;
    return dsnd_str_eq(dsnd_str_of(kept->hex),
                       store_rows_value(rows, row, STORE_LOG_FILE_FRONT_SHA256));
}

static void know(struct log_file *self, const struct store_rows *rows, size_t row)
{
    self->is_known = dsnd_str_copy(store_rows_value(rows, row, STORE_LOG_FILE_JOURNAL),
                                   self->journal, sizeof(self->journal)) == DSND_OK;
    self->offset = (uint64_t)store_rows_int(rows, row, STORE_LOG_FILE_OFFSET);
    self->lines = (uint64_t)store_rows_int(rows, row, STORE_LOG_FILE_LINES);
    self->known_octets = (size_t)store_rows_int(rows, row, STORE_LOG_FILE_FRONT_OCTETS);
    /* With a longer front than at its end it is another file of the inode, or grew after all. */
    self->is_done = store_rows_int(rows, row, STORE_LOG_FILE_DONE) != 0 &&
                    (self->known_octets == self->front_octets || self->offset >= self->size);
}

static void recognise_by(struct log_file *self, const struct store_rows *rows, bool by_inode,
                         struct front_hash *kept)
{
    for (size_t row = 0; row < store_rows_count(rows) && !self->is_known; row++) {
        bool same = (uint64_t)store_rows_int(rows, row, STORE_LOG_FILE_INODE) == self->inode;
        size_t octets;

        if (same != by_inode)
            continue;
        octets = (size_t)store_rows_int(rows, row, STORE_LOG_FILE_FRONT_OCTETS);
        if ((same || (octets <= self->front_octets && tells_apart(self, octets))) &&
            begins_as(self, rows, row, kept))
            know(self, rows, row);
    }
}

/* Of several that begin alike the one with its inode, else the latest. */
static void recognise(struct log_file *self, const struct store_rows *rows)
{
    struct front_hash kept = {0};

    recognise_by(self, rows, true, &kept);
    recognise_by(self, rows, false, &kept);
}

/* Hashes of the front in all lengths in which files of the source are on record. */
static enum dsnd_err list_hashes(const struct log_file *self, const struct store_rows *lengths,
                                 struct store_hash *hashes, struct dsnd_str *views)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < store_rows_count(lengths) && !err; i++) {
        err = hash_front(self, (size_t)store_rows_int(lengths, i, 0), &hashes[i]);
        views[i] = dsnd_str_make((const char *)hashes[i].octets, sizeof(hashes[i].octets));
    }
    return err;
}

enum dsnd_err log_file_recognise(struct log_file *self, struct store_conn *conn, int64_t source_id)
{
    struct store_rows *lengths = NULL;
    struct store_rows *rows = NULL;
    struct store_hash *hashes = NULL;
    struct dsnd_str *views = NULL;
    enum dsnd_err err = store_log_file_lengths(conn, source_id, self->front_octets, &lengths);
    size_t count = store_rows_count(lengths);

    if (!err) {
        hashes = calloc(count + 1, sizeof(*hashes));
        views = calloc(count + 1, sizeof(*views));
        err = hashes && views ? list_hashes(self, lengths, hashes, views) : DSND_ERR_NOMEM;
    }
    if (!err)
        err = store_log_files_like(conn, source_id, self->inode, views, count, &rows);
    if (!err)
        recognise(self, rows);
    store_rows_free(rows);
    store_rows_free(lengths);
    free(views);
    free(hashes);
    return err;
}

static bool is_last(const struct log_file *self, const struct store_rows *rows)
{
    return self->is_known && dsnd_str_eq(dsnd_str_of(self->journal),
                                         store_rows_value(rows, 0, STORE_LOG_FILE_JOURNAL));
}

static bool has_last(const struct store_rows *rows)
{
    return store_rows_count(rows) > 0 && store_rows_int(rows, 0, STORE_LOG_FILE_OWN);
}

/* ---- beside the file ---- */

struct search {
    const char *path;
    const struct store_rows *rows;
    struct log_file *found;       /* the best so far; fd -1: none */
    const struct log_file *after; /* only files modified since; NULL: any */
};

static int compare_age(const struct log_file *a, const struct log_file *b)
{
    if (a->modified.tv_sec != b->modified.tv_sec)
        return a->modified.tv_sec < b->modified.tv_sec ? -1 : 1;
    if (a->modified.tv_nsec != b->modified.tv_nsec)
        return a->modified.tv_nsec < b->modified.tv_nsec ? -1 : 1;
    return strcmp(a->path, b->path);
}

bool log_file_is_packed(const struct log_file *self)
{
    static const struct dsnd_str magic[] = {DSND_STR_INIT("\x1f\x8b"),
                                            DSND_STR_INIT("\xfd"
                                                          "7zXZ"),
                                            DSND_STR_INIT("BZh")};

    for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++)
        if (dsnd_str_starts(dsnd_str_make(self->front, self->front_octets), magic[i]))
            return true;
    return false;
}

/* Is it what the search is for, and better than what was found? */
static bool fits(const struct search *self, const struct log_file *file)
{
    if (self->after) {
        if (file->is_done || file->is_known || compare_age(file, self->after) <= 0)
            return false;
        return self->found->fd < 0 || compare_age(file, self->found) < 0;
    }
    return is_last(file, self->rows) && self->found->fd < 0;
}

static void consider(struct search *self, struct log_file *file)
{
    if (log_file_is_packed(file) || !file->size)
        return;
    recognise(file, self->rows);
    if (!fits(self, file))
        return;
    log_file_close(self->found);
    *self->found = *file;
    file->fd = -1;
}

static enum dsnd_err try_file(struct search *self, const char *path)
{
    struct log_file *file = malloc(sizeof(*file));
    enum dsnd_err err = file ? log_file_open(path, file) : DSND_ERR_NOMEM;

    if (!err) {
        consider(self, file);
        log_file_close(file);
    }
    free(file);
    /* What cannot be read is none of the log's files. */
    return err == DSND_ERR_NOMEM ? err : DSND_OK;
}

/* "mail-20261129.log" or "acct-2026-11-29-0001.csv" of "mail.log" or "acct.csv". */
static bool is_dated(const char *base, const char *name)
{
    const char *ending = strrchr(base, '.');
    size_t stem = ending ? (size_t)(ending - base) : 0;
    size_t len = strlen(name);
    size_t middle;

    if (!stem || len <= strlen(base) || strncmp(name, base, stem) != 0 ||
        strcmp(name + len - strlen(ending), ending) != 0)
        return false;
    middle = len - strlen(base);
    return strchr(".-_", name[stem]) && middle > 1 &&
           strspn(name + stem, ".-_0123456789") >= middle;
}

/* What begins with its name and a dot or a dash, or is dated; or has the inode looked for. */
static bool may_be(const struct search *self, const char *base, const char *name, uint64_t inode)
{
    size_t len = strlen(base);

    if (name[0] == '.')
        return false;
    if (strcmp(name, base) == 0)
        return false;
    if (strncmp(name, base, len) == 0 && (name[len] == '.' || name[len] == '-'))
        return true;
    if (is_dated(base, name))
        return true;
    return !self->after && inode == (uint64_t)store_rows_int(self->rows, 0, STORE_LOG_FILE_INODE);
}

static enum dsnd_err search_folder(struct search *self)
{
    const char *slash = strrchr(self->path, '/');
    const char *base = slash ? slash + 1 : self->path;
    int folder_len = slash ? (int)(slash - self->path) : 0;
    const char *folder = folder_len || slash ? self->path : ".";
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *dir;
    enum dsnd_err err = DSND_OK;

    if (!folder_len)
        folder_len = 1;
    (void)snprintf(path, sizeof(path), "%.*s", folder_len, folder);
    dir = opendir(path);
    if (!dir)
        return DSND_ERR_IO;
    for (entry = readdir(dir); entry && !err; entry = readdir(dir)) {
        if (!may_be(self, base, entry->d_name, (uint64_t)entry->d_ino))
            continue;
        if (snprintf(path, sizeof(path), "%.*s/%s", folder_len, folder, entry->d_name) <
            (int)sizeof(path))
            err = try_file(self, path);
    }
    (void)closedir(dir);
    return err;
}

/* ---- the next one ---- */

/* The file read last, wherever it is now, and what took its place before the one at `path`. */
static enum dsnd_err find_old(struct search *self, enum log_files_note *ret_note)
{
    struct log_file *last = malloc(sizeof(*last));
    enum dsnd_err err = last ? search_folder(self) : DSND_ERR_NOMEM;

    if (!err && self->found->fd < 0)
        *ret_note = LOG_FILES_LOST;
    if (!err && self->found->fd >= 0 && self->found->is_done) {
        *last = *self->found;
        self->found->fd = -1;
        self->after = last;
        err = search_folder(self);
        log_file_close(last);
    }
    self->found->is_old = true;
    free(last);
    return err;
}

static enum dsnd_err next_of_file(struct search *self, struct log_file *at_path,
                                  enum log_files_note *ret_note)
{
    enum dsnd_err err = DSND_OK;

    if (has_last(self->rows) && !is_last(at_path, self->rows))
        err = find_old(self, ret_note);
    if (err || self->found->fd >= 0)
        return err;
    *self->found = *at_path;
    at_path->fd = -1;
    return DSND_OK;
}

enum dsnd_err log_files_next(struct store_conn *conn, int64_t source_id, const char *path,
                             struct log_file *ret_file, enum log_files_note *ret_note)
{
    struct log_file *at_path = malloc(sizeof(*at_path));
    struct store_rows *rows = NULL;
    struct store_hash hash = {{0}};
    struct search search = {.path = path, .found = ret_file};
    enum dsnd_err err = at_path ? DSND_OK : DSND_ERR_NOMEM;

    *ret_note = LOG_FILES_FOUND;
    ret_file->fd = -1;
    if (!err)
        err = log_file_open(path, at_path);
    if (!err)
        err = hash_front(at_path, at_path->front_octets, &hash);
    if (!err)
        err = store_log_files(conn, source_id,
                              dsnd_str_make((const char *)hash.octets, sizeof(hash.octets)), &rows);
    search.rows = rows;
    if (!err) {
        recognise(at_path, rows);
        err = next_of_file(&search, at_path, ret_note);
        log_file_close(at_path);
    }
    store_rows_free(rows);
    free(at_path);
    return err;
}
