#include "ingest/journal_id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

#include "base/crc32c.h"
#include "base/hex.h"

enum { ID_FILE_OCTETS = 42 }; /* 32 digits, space, 8 digits, LF */

static const char id_name[] = "journal.id";
static const char id_temporary[] = "journal.id.tmp";

void journal_id_format(const unsigned char id[JOURNAL_ID_OCTETS], char ret_text[JOURNAL_ID_SIZE])
{
    hex_encode(id, JOURNAL_ID_OCTETS, ret_text);
}

static void file_text(const unsigned char id[JOURNAL_ID_OCTETS], char ret_text[ID_FILE_OCTETS + 1])
{
    char hex[JOURNAL_ID_SIZE];
    int len;

    journal_id_format(id, hex);
    len = snprintf(ret_text, ID_FILE_OCTETS + 1, "%s %08x\n", hex,
                   (unsigned)crc32c(0, id, JOURNAL_ID_OCTETS));
    if (len != ID_FILE_OCTETS)
        ret_text[0] = '\0';
}

/* Whether the file's text is whole; it is then exactly what we would write for the id. */
static bool parse(const char *text, unsigned char ret_id[JOURNAL_ID_OCTETS])
{
    char again[ID_FILE_OCTETS + 1];

    if (!hex_decode(dsnd_str_make(text, (size_t)2 * JOURNAL_ID_OCTETS), ret_id, JOURNAL_ID_OCTETS))
        return false;
    file_text(ret_id, again);
    return memcmp(text, again, ID_FILE_OCTETS) == 0;
}

/* DSND_ERR_NOT_FOUND: missing or damaged. */
static enum dsnd_err read_id(const struct journal_files *files, int dir_fd,
                             unsigned char ret_id[JOURNAL_ID_OCTETS])
{
    char text[ID_FILE_OCTETS + 1] = {0};
    size_t len = 0;
    enum dsnd_err err;
    int fd = files->openat(dir_fd, id_name, O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0)
        return errno == ENOENT ? DSND_ERR_NOT_FOUND : DSND_ERR_IO;
    err = journal_files_read(files, fd, text, sizeof(text), 0, &len);
    journal_files_close(fd);
    if (!err && (len != ID_FILE_OCTETS || !parse(text, ret_id)))
        err = DSND_ERR_NOT_FOUND;
    return err;
}

static enum dsnd_err write_id(const struct journal_files *files, int dir_fd,
                              const unsigned char id[JOURNAL_ID_OCTETS])
{
    char text[ID_FILE_OCTETS + 1];
    struct iovec part = {text, ID_FILE_OCTETS};
    enum dsnd_err err;
    int fd;

    file_text(id, text);
    fd = files->openat(dir_fd, id_temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return DSND_ERR_IO;
    err = journal_files_write(files, fd, &part, 1, 0);
    if (!err && files->fsync(fd) != 0)
        err = DSND_ERR_IO;
    journal_files_close(fd);
    if (!err && files->renameat(dir_fd, id_temporary, dir_fd, id_name) != 0)
        err = DSND_ERR_IO;
    if (!err)
        err = journal_files_sync_dir(files, dir_fd);
    return err;
}

enum dsnd_err journal_id_random(char ret_text[JOURNAL_ID_SIZE])
{
    unsigned char id[JOURNAL_ID_OCTETS];

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return DSND_ERR_IO;
    journal_id_format(id, ret_text);
    return DSND_OK;
}

static enum dsnd_err make_id(const struct journal_files *files, int dir_fd,
                             const unsigned char *known, unsigned char ret_id[JOURNAL_ID_OCTETS])
{
    if (known)
        memcpy(ret_id, known, JOURNAL_ID_OCTETS);
    else if (getrandom(ret_id, JOURNAL_ID_OCTETS, 0) != JOURNAL_ID_OCTETS)
        return DSND_ERR_IO;
    return write_id(files, dir_fd, ret_id);
}

enum dsnd_err journal_id_get(const struct journal_files *files, int dir_fd,
                             const unsigned char known[JOURNAL_ID_OCTETS],
                             unsigned char ret_id[JOURNAL_ID_OCTETS])
{
    enum dsnd_err err = read_id(files, dir_fd, ret_id);
    int lock;

    if (err != DSND_ERR_NOT_FOUND)
        return err;
    /* Reader and writer may start at the same moment: one makes the id, the other reads it. */
    lock = files->openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (lock < 0)
        return DSND_ERR_IO;
    if (flock(lock, LOCK_EX) != 0)
        err = DSND_ERR_IO;
    else
        err = read_id(files, dir_fd, ret_id);
    if (err == DSND_ERR_NOT_FOUND)
        err = make_id(files, dir_fd, known, ret_id);
    journal_files_close(lock);
    return err;
}
