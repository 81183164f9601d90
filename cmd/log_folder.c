#include "cmd/log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

enum {
    KEPT = 8192,      /* entries of one listing, and as many again while it is made */
    LIST_MS = 1000,   /* a listing is good for so long */
    TELL_MS = 3600000 /* how often the database hears of what is gone */
};

/* A file as it was when it was seen. */
struct log_entry {
    uint64_t inode;
    uint64_t size;
    struct timespec modified;
    unsigned scan;                 /* the last listing that had it so */
    char journal[JOURNAL_ID_SIZE]; /* of what is done; else empty */
    char path[];
};

static struct log_entry *new_entry(const char *path, uint64_t inode, uint64_t size,
                                   struct timespec modified)
{
    size_t octets = strlen(path) + 1;
    struct log_entry *self = calloc(1, sizeof(*self) + octets);

    if (!self)
        return NULL;
    self->inode = inode;
    self->size = size;
    self->modified = modified;
    memcpy(self->path, path, octets);
    return self;
}

static bool is_same(const struct log_entry *a, const struct log_entry *b)
{
    return a->inode == b->inode && a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

/* ---- what need not be opened ---- */

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct log_entry *)a)->path, ((const struct log_entry *)b)->path);
}

static struct log_entry *find_passed(const struct log_folder *self, const struct log_entry *entry)
{
    struct log_entry **found = tfind(entry, &self->passed, compare_paths);

    return found && is_same(*found, entry) ? *found : NULL;
}

/* Takes `entry`, which may be NULL for no memory, in the place of what had its path. */
static enum dsnd_err pass(struct log_folder *self, struct log_entry *entry)
{
    struct log_entry **slot = entry ? tsearch(entry, &self->passed, compare_paths) : NULL;

    if (!slot) {
        free(entry);
        return DSND_ERR_NOMEM;
    }
    if (*slot != entry)
        free(*slot);
    *slot = entry;
    return DSND_OK;
}

enum dsnd_err log_folder_pass(struct log_folder *self, const struct log_file *file)
{
    struct log_entry *entry = new_entry(file->path, file->inode, file->size, file->modified);

    if (entry && file->is_done)
        memcpy(entry->journal, file->journal, sizeof(entry->journal));
    return pass(self, entry);
}

static enum dsnd_err load_row(struct log_folder *self, const struct store_rows *rows, size_t row)
{
    int64_t ns = store_rows_int(rows, row, STORE_LOG_DONE_MODIFIED_NS);
    struct timespec modified = {ns / INT64_C(1000000000), ns % INT64_C(1000000000)};
    char path[PATH_MAX];
    struct log_entry *entry;
    enum dsnd_err err =
        dsnd_str_copy(store_rows_value(rows, row, STORE_LOG_DONE_NAME), path, sizeof(path));

    if (err)
        return DSND_OK; /* no path can be so long */
    entry = new_entry(path, (uint64_t)store_rows_int(rows, row, STORE_LOG_DONE_INODE),
                      (uint64_t)store_rows_int(rows, row, STORE_LOG_DONE_OCTETS), modified);
    if (entry)
        err = dsnd_str_copy(store_rows_value(rows, row, STORE_LOG_DONE_JOURNAL), entry->journal,
                            sizeof(entry->journal));
    if (err) {
        free(entry);
        return err;
    }
    return pass(self, entry);
}

static enum dsnd_err load(struct log_folder *self, struct store_conn *conn, int64_t source_id)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = store_log_files_done(conn, source_id, &rows);

    for (size_t row = 0; row < store_rows_count(rows) && !err; row++)
        err = load_row(self, rows, row);
    self->is_loaded = !err;
    store_rows_free(rows);
    return err;
}

/* ---- the listing ---- */

static int compare_entries(const void *left, const void *right)
{
    const struct log_entry *a = *(const struct log_entry *const *)left;
    const struct log_entry *b = *(const struct log_entry *const *)right;

    if (a->modified.tv_sec != b->modified.tv_sec)
        return a->modified.tv_sec < b->modified.tv_sec ? -1 : 1;
    if (a->modified.tv_nsec != b->modified.tv_nsec)
        return a->modified.tv_nsec < b->modified.tv_nsec ? -1 : 1;
    return strcmp(a->path, b->path);
}

static void drop_entries(struct log_folder *self, size_t from)
{
    for (size_t i = from; i < self->count; i++)
        free(self->entries[i]);
    self->count = from;
}

/* Room for one more: of too many the younger half goes, to be listed when the others are read. */
static enum dsnd_err make_room(struct log_folder *self)
{
    size_t most = (size_t)2 * KEPT;

    if (!self->entries)
        self->entries = calloc(most, sizeof(struct log_entry *));
    if (!self->entries)
        return DSND_ERR_NOMEM;
    if (self->count < most)
        return DSND_OK;
    qsort(self->entries, self->count, sizeof(struct log_entry *), compare_entries);
    drop_entries(self, KEPT);
    self->is_cut = true;
    return DSND_OK;
}

static enum dsnd_err list_one(struct log_folder *self, int folder, const char *name,
                              const char *path)
{
    struct stat status;
    struct log_entry *entry;
    struct log_entry *known;
    enum dsnd_err err;

    /* What cannot be read, and what is empty, is none of the log's files. */
    if (fstatat(folder, name, &status, 0) != 0 || !S_ISREG(status.st_mode) || !status.st_size)
        return DSND_OK;
    entry = new_entry(path, (uint64_t)status.st_ino, (uint64_t)status.st_size, status.st_mtim);
    if (!entry)
        return DSND_ERR_NOMEM;
    known = find_passed(self, entry);
    err = known ? DSND_OK : make_room(self);
    if (known)
        known->scan = self->scan;
    if (known || err)
        free(entry);
    else
        self->entries[self->count++] = entry;
    return err;
}

static enum dsnd_err list(struct log_folder *self, const char *path)
{
    DIR *dir = opendir(path);
    char file[PATH_MAX];
    enum dsnd_err err = DSND_OK;

    if (!dir)
        return DSND_ERR_IO;
    drop_entries(self, 0);
    self->at = 0;
    self->is_cut = false;
    self->scan++;
    for (struct dirent *entry = readdir(dir); entry && !err; entry = readdir(dir)) {
        int len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);

        if (entry->d_name[0] != '.' && len < (int)sizeof(file))
            err = list_one(self, dirfd(dir), entry->d_name, file);
    }
    (void)closedir(dir);
    if (self->count)
        qsort(self->entries, self->count, sizeof(struct log_entry *), compare_entries);
    self->scanned_ms = dsnd_clock_monotonic_ms();
    return err;
}

/* ---- what is gone ---- */

struct present {
    unsigned scan;
    struct dsnd_str *journals;
    size_t count;
    size_t size;
};

static void list_present(const void *node, VISIT visit, void *context)
{
    const struct log_entry *entry = *(const struct log_entry *const *)node;
    struct present *self = context;

    if ((visit != postorder && visit != leaf) || !entry->journal[0] || entry->scan != self->scan)
        return;
    if (self->journals)
        self->journals[self->count] = dsnd_str_of(entry->journal);
    self->count++;
}

/* Tell the database which of the files that are done are still there. */
static enum dsnd_err tell(struct log_folder *self, struct store_conn *conn, int64_t source_id)
{
    struct present present = {.scan = self->scan};
    int64_t now_ms = dsnd_clock_monotonic_ms();
    enum dsnd_err err;

    if (self->told_ms && now_ms - self->told_ms < TELL_MS)
        return DSND_OK;
    twalk_r(self->passed, list_present, &present); /* to count them */
    present.journals = calloc(present.count + 1, sizeof(*present.journals));
    if (!present.journals)
        return DSND_ERR_NOMEM;
    present.count = 0;
    twalk_r(self->passed, list_present, &present);
    err = store_log_files_present(conn, source_id, present.journals, present.count);
    free(present.journals);
    if (!err)
        self->told_ms = now_ms;
    return err;
}

/* ---- one file ---- */

enum fate {
    FATE_PASSED,  /* it is not to be read */
    FATE_AWAY,    /* it cannot be read */
    FATE_UNKNOWN, /* nobody has read of it */
    FATE_BEGUN,
};

/* Open it and find out what is known of it. */
static enum dsnd_err look(struct log_folder *self, struct store_conn *conn, int64_t source_id,
                          const struct log_entry *entry, struct log_file *file, enum fate *ret_fate)
{
    enum dsnd_err err = log_file_open(entry->path, file);
    bool is_packed;

    *ret_fate = FATE_AWAY;
    if (err)
        return err == DSND_ERR_NOMEM ? err : DSND_OK;
    is_packed = log_file_is_packed(file);
    if (!is_packed)
        err = log_file_recognise(file, conn, source_id);
    if (!err && file->is_done)
        err = log_file_end(file, conn); /* it had another name, or time */
    *ret_fate = file->is_done || is_packed ? FATE_PASSED
                : file->is_known           ? FATE_BEGUN
                                           : FATE_UNKNOWN;
    if (!err && *ret_fate == FATE_PASSED)
        err = log_folder_pass(self, file);
    return err;
}

/* Behind the entry at hand there is one that nobody has begun. */
static enum dsnd_err find_younger(struct log_folder *self, struct store_conn *conn,
                                  int64_t source_id, bool *ret_found)
{
    struct log_file *file = malloc(sizeof(*file));
    enum dsnd_err err = file ? DSND_OK : DSND_ERR_NOMEM;

    *ret_found = self->is_cut;
    for (size_t i = self->count; i-- > self->at + 1 && !*ret_found && !err;) {
        enum fate fate = FATE_PASSED;

        if (find_passed(self, self->entries[i]))
            continue;
        err = look(self, conn, source_id, self->entries[i], file, &fate);
        *ret_found = fate == FATE_UNKNOWN;
        log_file_close(file);
    }
    free(file);
    return err;
}

/* From the entry at hand on, the first to be read. DSND_ERR_NOT_FOUND: none. */
static enum dsnd_err find(struct log_folder *self, struct store_conn *conn, int64_t source_id,
                          struct log_file *ret_file, bool *ret_passed)
{
    enum fate fate = FATE_AWAY;
    enum dsnd_err err = DSND_OK;

    for (; self->at < self->count && !err; self->at++) {
        if (find_passed(self, self->entries[self->at]))
            continue;
        err = look(self, conn, source_id, self->entries[self->at], ret_file, &fate);
        if (!err && (fate == FATE_UNKNOWN || fate == FATE_BEGUN))
            return find_younger(self, conn, source_id, &ret_file->is_old);
        *ret_passed = *ret_passed || fate == FATE_PASSED;
        log_file_close(ret_file);
    }
    return err ? err : DSND_ERR_NOT_FOUND;
}

enum dsnd_err log_folder_next(struct log_folder *self, struct store_conn *conn, int64_t source_id,
                              const char *path, struct log_file *ret_file)
{
    bool is_stale = !self->scanned_ms || dsnd_clock_monotonic_ms() - self->scanned_ms > LIST_MS;
    bool passed = true;
    enum dsnd_err err = self->is_loaded ? DSND_OK : load(self, conn, source_id);

    ret_file->fd = -1;
    if (!err)
        err = is_stale ? DSND_ERR_NOT_FOUND : find(self, conn, source_id, ret_file, &passed);
    /* Of a folder that was cut all that was listed may have been passed by. */
    while (err == DSND_ERR_NOT_FOUND && (is_stale || (self->is_cut && passed))) {
        is_stale = false;
        passed = false;
        err = list(self, path);
        if (!err)
            err = tell(self, conn, source_id);
        if (!err)
            err = find(self, conn, source_id, ret_file, &passed);
    }
    if (err)
        log_file_close(ret_file);
    ret_file->of_folder = true;
    return err;
}

void log_folder_done(struct log_folder *self)
{
    drop_entries(self, 0);
    free(self->entries);
    tdestroy(self->passed, free);
    *self = (struct log_folder){0};
}
