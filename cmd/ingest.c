/*
 * dsnd ingest: the log of a mail server into the database, by the batch code of the pipeline. The
 * position is stored with the rows, so whatever is killed when, each line counts once.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/ingest_session.h"

enum { POLL_MS = 250, FOLDER_MS = 2000, LINGER_MS = 1000, SETTLE_S = 3, NS_PER_MS = 1000000 };

static const char help[] =
    "usage: dsnd ingest postfix|exim|kumomta|powermta FILE|FOLDER|-\n\n"
    "Reads the log of a mail server: what was sent, delivered, delayed and failed, for mail whose\n"
    "envelope sender is a signed return path. Postfix: syslog or maillog_file; Exim: mainlog;\n"
    "KumoMTA: log records, also compressed with zstd; PowerMTA: accounting file (CSV). Where the\n"
    "log was read before it goes on from there, in files that rotation has put aside, too. What a\n"
    "report by mail told or tells of the same delivery counts once.\n\n"
    "  -f, --follow       go on as the log grows, until SIGTERM\n"
    "  -a, --all          store results of other mail, too; else they are counted and passed over\n"
    "  -n, --name NAME    the log's name, by which its position is kept; else machine and path\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n\n"
    "Times without a zone are local ($TZ). Ends with 1 where something could not be read or "
    "stored.\n";

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static void sleep_ms(int ms)
{
    const struct timespec pause = {ms / 1000, (long)(ms % 1000) * NS_PER_MS};

    (void)nanosleep(&pause, NULL);
}

struct ingest {
    struct ingest_options options;
    struct ingest_session *session;
    const char *path;
    bool follow;
    struct log_file file;
    struct log_reader reader;
    bool is_settled;    /* an old file has not been written to for a while */
    int64_t pending_ms; /* when the oldest line not stored yet was read; 0: there is none */
    int64_t looked_ms;  /* when the folder was last looked at */
};

/* Store what was read, again and again while the database is away and somebody waits for it. */
static enum dsnd_err flush(struct ingest *self)
{
    enum { TRIES = 5, PAUSE_MS = 1000 };
    enum dsnd_err err = DSND_ERR_UNAVAILABLE;

    self->pending_ms = 0;
    for (int i = 0; err == DSND_ERR_UNAVAILABLE && (i < TRIES || self->follow); i++) {
        if (i)
            sleep_ms(PAUSE_MS);
        if (i && stop) /* the lines are still there */
            break;
        err = ingest_session_store(self->session, &self->file, &self->reader);
    }
    return err;
}

/* A file that was put aside may still be written to, until the server has opened the new one. */
static enum dsnd_err wait_for_end(struct ingest *self)
{
    int64_t age_us = dsnd_clock_now_us() - (int64_t)self->file.modified.tv_sec * DSND_US_PER_S;

    if (age_us >= 0 && age_us < SETTLE_S * DSND_US_PER_S) {
        sleep_ms(POLL_MS);
        return DSND_OK;
    }
    if (self->is_settled)
        return DSND_ERR_NOT_FOUND;
    self->is_settled = true; /* what stands behind the last line end is a line, too */
    return DSND_OK;
}

/* A younger file took its place. */
static bool was_put_aside(struct ingest *self)
{
    static struct log_file now;
    enum log_files_note note;
    bool aside = false;

    if (!self->file.of_folder)
        return !log_file_is_at(&self->file, self->path);
    if (dsnd_clock_monotonic_ms() - self->looked_ms < FOLDER_MS)
        return false;
    self->looked_ms = dsnd_clock_monotonic_ms();
    if (ingest_session_choose(self->session, self->path, &now, &note) == DSND_OK)
        aside = now.is_old && now.inode == self->file.inode;
    log_file_close(&now);
    return aside;
}

/* Nothing more can be read now: wait, or say what is next. DSND_ERR_NOT_FOUND: this file is done.
 */
static enum dsnd_err wait_for_more(struct ingest *self)
{
    enum dsnd_err err = log_file_look(&self->file);

    if (err)
        return err;
    if (self->file.is_old)
        return wait_for_end(self);
    if (!self->follow || log_file_was_replaced(&self->file, self->reader.offset))
        return DSND_ERR_NOT_FOUND;
    self->file.is_old = was_put_aside(self);
    if (!self->file.is_old)
        sleep_ms(POLL_MS);
    return DSND_OK;
}

static enum dsnd_err wait_for_pipe(struct ingest *self)
{
    struct pollfd ready = {.fd = self->reader.fd, .events = POLLIN};

    if (self->reader.ended)
        return DSND_ERR_NOT_FOUND;
    (void)poll(&ready, 1, POLL_MS);
    return DSND_OK;
}

/* Lines that come one by one are not stored one by one. */
static enum dsnd_err idle(struct ingest *self)
{
    enum dsnd_err err = DSND_OK;

    if (self->pending_ms && dsnd_clock_monotonic_ms() - self->pending_ms > LINGER_MS)
        err = flush(self);
    if (!err)
        err = self->reader.is_pipe ? wait_for_pipe(self) : wait_for_more(self);
    return err;
}

static enum dsnd_err take_line(struct ingest *self, struct dsnd_str line)
{
    enum dsnd_err err;

    if (!self->pending_ms)
        self->pending_ms = dsnd_clock_monotonic_ms();
    err = ingest_session_line(self->session, &self->file, &self->reader, line);
    if (!err && ingest_session_full(self->session))
        err = flush(self);
    return err;
}

/* DSND_ERR_NOT_FOUND: all that was there is stored. */
static enum dsnd_err read_lines(struct ingest *self)
{
    enum dsnd_err err = DSND_OK;
    enum dsnd_err last;
    struct dsnd_str line;

    while (!err && !stop) {
        err = log_reader_next(&self->reader, self->is_settled, &line);
        if (err == DSND_ERR_NOT_FOUND)
            err = idle(self);
        else if (!err || err == DSND_ERR_LIMIT)
            err = take_line(self, err ? DSND_STR_ABSENT : line);
    }
    if (err && err != DSND_ERR_NOT_FOUND)
        return err;
    last = flush(self);
    return last ? last : err;
}

/* DSND_ERR_NOT_FOUND: it was read as far as it goes. */
static enum dsnd_err read_file(struct ingest *self)
{
    enum dsnd_err err =
        log_reader_open(&self->reader, self->file.fd, self->file.offset, self->file.lines);

    self->is_settled = false;
    if (!err) {
        ingest_session_begin(self->session, &self->file);
        err = read_lines(self);
    }
    if (err == DSND_ERR_NOT_FOUND && !self->file.is_old && self->reader.buf.len &&
        self->reader.taken < self->reader.buf.len && !self->follow)
        (void)fprintf(stderr,
                      "dsnd ingest: %s: the last line has no end yet; it is left for the"
                      " next time\n",
                      self->file.path);
    if (err == DSND_ERR_IO || err == DSND_ERR_CORRUPT)
        (void)fprintf(stderr, "dsnd ingest: %s: %s\n", self->file.path,
                      err == DSND_ERR_IO ? strerror(errno) : "is no good zstd");
    log_reader_close(&self->reader);
    return err;
}

/* "-", or what is read but once: a pipe with a name, as <(zcat FILE) is. */
static bool is_pipe(const char *path)
{
    struct stat status;

    return strcmp(path, "-") == 0 ||
           (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
}

static enum dsnd_err read_pipe(struct ingest *self)
{
    bool is_standard = strcmp(self->path, "-") == 0;
    enum dsnd_err err;

    self->file.fd = is_standard ? STDIN_FILENO : open(self->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    err = dsnd_str_copy(dsnd_str_of(self->path), self->file.path, sizeof(self->file.path));
    if (self->file.fd < 0) {
        (void)fprintf(stderr, "dsnd ingest: %s: %s\n", self->path, strerror(errno));
        return DSND_ERR_IO;
    }
    if (!err)
        err = read_file(self);
    if (!is_standard)
        log_file_close(&self->file);
    return err == DSND_ERR_NOT_FOUND ? DSND_OK : err;
}

/* The next file; DSND_ERR_NOT_FOUND: there is none now. */
static enum dsnd_err choose(struct ingest *self)
{
    enum log_files_note note = LOG_FILES_FOUND;
    enum dsnd_err err = ingest_session_choose(self->session, self->path, &self->file, &note);

    if (err == DSND_ERR_IO && !(self->follow && errno == ENOENT))
        (void)fprintf(stderr, "dsnd ingest: %s: %s\n", self->path, strerror(errno));
    else if (err == DSND_ERR_IO)
        err = DSND_ERR_NOT_FOUND;
    if (!err && log_file_is_packed(&self->file)) {
        (void)fprintf(stderr, "dsnd ingest: %s: is compressed; unpack it into a pipe (-)\n",
                      self->path);
        log_file_close(&self->file);
        err = DSND_ERR_CORRUPT;
    }
    if (!err && note == LOG_FILES_LOST)
        (void)fprintf(stderr,
                      "dsnd ingest: %s: the file that was read last is not there any more; what was"
                      " written to it since then may be missing\n",
                      self->path);
    return err;
}

/* One file after another until there is none, or for ever. */
static enum dsnd_err read_files(struct ingest *self)
{
    enum dsnd_err err = DSND_OK;

    while (!err && !stop) {
        bool again;

        err = choose(self);
        if (err == DSND_ERR_NOT_FOUND || (err == DSND_ERR_UNAVAILABLE && self->follow)) {
            if (!self->follow)
                return DSND_OK;
            sleep_ms(POLL_MS);
            err = DSND_OK;
            continue;
        }
        if (err)
            break;
        err = read_file(self);
        again = self->file.is_old || self->follow;
        if (err == DSND_ERR_NOT_FOUND)
            err = self->file.is_old ? ingest_session_done(self->session, &self->file) : DSND_OK;
        if (err == DSND_ERR_UNAVAILABLE && self->follow && !stop)
            err = DSND_OK; /* the file is read again, from its end */
        log_file_close(&self->file);
        if (!again)
            break;
    }
    return err;
}

/* -1 to go on, else the exit status. */
static int read_options(struct ingest *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"follow", no_argument, NULL, 'f'},     {"all", no_argument, NULL, 'a'},
        {"name", required_argument, NULL, 'n'}, {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},       {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "fan:c:h", options, NULL)) != -1) {
        switch (choice) {
        case 'f':
            self->follow = true;
            self->options.waits = true;
            break;
        case 'a':
            self->options.keep_foreign = true;
            break;
        case 'n':
            self->options.name = optarg;
            break;
        case 'c':
            self->options.config = optarg;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return EXIT_DONE;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return arguments_wrong("ingest", help,
                               "the mail server is missing: postfix, exim, kumomta or powermta");
    if (mta_log_format_of(dsnd_str_of(argv[optind]), &self->options.format) != DSND_OK)
        return arguments_wrong("ingest", help,
                               "\"%s\" is no mail server whose log is read; allowed are postfix, "
                               "exim, kumomta and powermta",
                               argv[optind]);
    self->path = argv[optind + 1];
    self->options.path = self->path;
    return arguments_one("ingest", help, "FILE, FOLDER or \"-\"", argv + optind + 1);
}

int cmd_ingest(int argc, char **argv)
{
    static struct ingest self;
    int status = read_options(&self, argc, argv);
    enum dsnd_err err;

    if (status < 0)
        status = ingest_session_new(&self.options, &self.session);
    if (status < 0) {
        catch_signals();
        self.file.fd = -1;
        err = is_pipe(self.path) ? read_pipe(&self) : read_files(&self);
        status = ingest_session_end(self.session, err) ? EXIT_DONE : EXIT_FAILED;
    }
    ingest_session_free(self.session);
    return status;
}
