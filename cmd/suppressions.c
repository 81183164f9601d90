/*
 * dsnd suppressions: the suppression list to and from files.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/json_in.h"
#include "api/json_out.h"
#include "api/names.h"
#include "api/rows_out.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/suppressions_in.h"
#include "store/query_policy.h"
#include "store/query_suppression.h"

static const char help[] =
    "usage: dsnd suppressions export [--format csv|ndjson] [--hashed]\n"
    "       dsnd suppressions import [--class CLASS] [--note TEXT] [FILE]...\n\n"
    "`export` prints the addresses that are suppressed now. `import` adds those of files, or of\n"
    "standard input: NDJSON with the member address, CSV with a column of that name, or an\n"
    "address a line; address_sha256, as `export --hashed` prints it, in the place of address; "
    "class, expires_at and note are taken along where they are given. Of several lines of one\n"
    "address the last holds. A line that cannot be taken, or whose expires_at is over, is named,\n"
    "the others go in, and the exit status is 1.\n\n"
    "  --format FORMAT    csv (default) or ndjson\n"
    "  --hashed           SHA-256 of the lower-cased address instead of the address\n"
    "  --class CLASS      class of entries that name none, as mailbox_unknown\n"
    "  --note TEXT        note of entries that have none\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

enum { EXPORT_PAGE = 5000, EXPORT_BUFFER_MAX = 64 * 1024 * 1024 };

struct suppressions {
    struct settings settings;
    const char *config;
    bool ndjson;
    bool hashed;
    struct suppressions_in in;
    struct store_conn *conn;
    const char *for_export; /* an option that was given and means something there only; or NULL */
    const char *for_import;
    char **files;
    int file_count;
};

static int failed(const struct suppressions *self, enum dsnd_err err)
{
    const char *why = self->conn ? store_conn_error(self->conn) : "";

    (void)fprintf(stderr, "dsnd suppressions: %s\n", why[0] ? why : dsnd_err_text(err));
    return EXIT_FAILED;
}

/* ---- export ---- */

#define COMMON_FIELDS                                                  \
    [STORE_SUPPRESSION_CLASS] = {"class", FIELD_NAME, names_class},    \
    [STORE_SUPPRESSION_SINCE] = {"since", FIELD_TIME, NULL},           \
    [STORE_SUPPRESSION_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL}, \
    [STORE_SUPPRESSION_NOTE] = {"note", FIELD_STRING, NULL}

static const struct field plain_fields[STORE_SUPPRESSION_COLUMNS] = {
    [STORE_SUPPRESSION_ADDRESS] = {"address", FIELD_STRING, NULL}, COMMON_FIELDS};
/* A third party learns nothing but whom it knows already; a note may name people. */
static const struct field hashed_fields[STORE_SUPPRESSION_COLUMNS] = {
    [STORE_SUPPRESSION_HASH] = {"address_sha256", FIELD_STRING, NULL},
    [STORE_SUPPRESSION_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_SUPPRESSION_SINCE] = {"since", FIELD_TIME, NULL},
    [STORE_SUPPRESSION_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL}};

static enum dsnd_err print_row(const struct suppressions *self, const struct store_rows *rows,
                               size_t row, struct dsnd_buf *out)
{
    const struct field *fields = self->hashed ? hashed_fields : plain_fields;
    struct json_out json;

    /* Entries of a ref alone name no address, and of those of a hash alone none is known. */
    if (!self->hashed && !dsnd_str_present(store_rows_value(rows, row, STORE_SUPPRESSION_ADDRESS)))
        return DSND_OK;
    if (!self->ndjson)
        return rows_out_csv(out, fields, STORE_SUPPRESSION_COLUMNS, rows, row);
    json_out_init(&json, out);
    rows_out_json(&json, fields, STORE_SUPPRESSION_COLUMNS, rows, row);
    return json.err ? json.err : dsnd_buf_add_char(out, '\n');
}

static enum dsnd_err flush(struct dsnd_buf *out)
{
    struct dsnd_str text = dsnd_buf_str(out);
    bool good = fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0;

    dsnd_buf_clear(out);
    return good ? DSND_OK : DSND_ERR_IO;
}

/* Where the page before ended; its rows are gone by then. */
struct place {
    char since[64];
    char hash[65];
};

static enum dsnd_err keep_place(struct place *place, const struct store_rows *rows, size_t row)
{
    char text[STORE_TEXT_SIZE];
    enum dsnd_err err = dsnd_str_copy(store_rows_text(rows, row, STORE_SUPPRESSION_SINCE, text),
                                      place->since, sizeof(place->since));

    return err ? err
               : dsnd_str_copy(store_rows_text(rows, row, STORE_SUPPRESSION_HASH, text),
                               place->hash, sizeof(place->hash));
}

static enum dsnd_err print_page(const struct suppressions *self, struct place *place,
                                struct dsnd_buf *out, bool *ret_end)
{
    const struct store_suppression_filter filter = {
        .klass = -1, .pending = 0, .hashed = self->hashed};
    struct dsnd_str since = dsnd_str_of(place->since[0] ? place->since : NULL);
    struct store_rows *rows = NULL;
    enum dsnd_err err =
        store_suppression_list(self->conn, &filter, since,
                               since.len ? dsnd_str_of(place->hash) : since, EXPORT_PAGE, &rows);
    size_t count = err ? 0 : store_rows_count(rows);

    for (size_t i = 0; i < count && !err; i++)
        err = print_row(self, rows, i, out);
    if (!err && count)
        err = keep_place(place, rows, count - 1);
    *ret_end = count < EXPORT_PAGE;
    store_rows_free(rows);
    return err ? err : flush(out);
}

static int run_export(struct suppressions *self)
{
    struct dsnd_buf out = DSND_BUF_INIT(EXPORT_BUFFER_MAX);
    struct place place = {"", ""};
    bool end = false;
    enum dsnd_err err = DSND_OK;

    if (!self->ndjson)
        err = rows_out_csv_head(&out, self->hashed ? hashed_fields : plain_fields,
                                STORE_SUPPRESSION_COLUMNS);
    while (!err && !end)
        err = print_page(self, &place, &out, &end);
    dsnd_buf_done(&out);
    return err ? failed(self, err) : EXIT_DONE;
}

/* ---- import ---- */

static enum dsnd_err import_path(struct suppressions *self, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    enum dsnd_err err;

    if (!file) {
        perror(path);
        return DSND_ERR_IO;
    }
    self->in.name = standard ? "standard input" : path;
    err = suppressions_in_file(&self->in, file, self->conn);
    if (err == DSND_ERR_IO)
        perror(self->in.name);
    if (!standard && fclose(file) != 0 && !err)
        err = DSND_ERR_IO;
    return err;
}

static int run_import(struct suppressions *self)
{
    static char dash[] = "-";
    char *standard[] = {dash};
    char **files = self->file_count ? self->files : standard;
    int count = self->file_count ? self->file_count : 1;
    enum dsnd_err err = DSND_OK;

    for (int i = 0; i < count && !err; i++)
        err = import_path(self, files[i]);
    (void)fprintf(stderr, "%llu entries read, %llu of them new or changed, %llu lines refused\n",
                  (unsigned long long)self->in.read, (unsigned long long)self->in.changed,
                  (unsigned long long)self->in.refused);
    if (err)
        return failed(self, err);
    return self->in.refused ? EXIT_FAILED : EXIT_DONE;
}

/* ---- arguments ---- */

static bool read_format(struct suppressions *self, const char *name)
{
    self->ndjson = strcmp(name, "ndjson") == 0;
    if (self->ndjson || strcmp(name, "csv") == 0)
        return true;
    (void)fprintf(stderr, "dsnd suppressions: --format must be csv or ndjson\n");
    return false;
}

static bool read_class(struct suppressions *self, const char *name)
{
    if (report_class_from(dsnd_str_of(name), &self->in.klass) == DSND_OK)
        return true;
    (void)fprintf(stderr, "dsnd suppressions: \"%s\" is no class; as mailbox_unknown\n", name);
    return false;
}

static bool read_note(struct suppressions *self, const char *note)
{
    struct dsnd_str text = dsnd_str_of(note);

    self->in.note = note;
    if (text.len <= STORE_SUPPRESSION_NOTE_MAX && utf8_valid(text) && json_in_is_plain(text))
        return true;
    (void)fprintf(stderr,
                  "dsnd suppressions: --note must be at most %d octets of UTF-8 without control "
                  "characters\n",
                  STORE_SUPPRESSION_NOTE_MAX);
    return false;
}

/* Whoever exports with --class expects a part of the list, and must not get the whole. */
static bool options_fit(const struct suppressions *self, bool exporting)
{
    const char *wrong = exporting ? self->for_import : self->for_export;

    if (!wrong)
        return true;
    (void)fprintf(stderr, "dsnd suppressions: %s is for %s only\n", wrong,
                  exporting ? "import" : "export");
    return false;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct suppressions *self)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"hashed", no_argument, NULL, 'H'},
                                            {"class", required_argument, NULL, 'k'},
                                            {"note", required_argument, NULL, 'n'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    bool good = true;
    int choice;

    while (good && (choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice == 'f')
            good = read_format(self, optarg);
        else if (choice == 'k')
            good = read_class(self, optarg);
        else if (choice == 'H')
            self->hashed = true;
        else if (choice == 'n')
            good = read_note(self, optarg);
        else if (choice == 'c')
            self->config = optarg;
        else
            good = false;
        if (choice == 'f' || choice == 'H')
            self->for_export = choice == 'f' ? "--format" : "--hashed";
        else if (choice == 'k' || choice == 'n')
            self->for_import = choice == 'k' ? "--class" : "--note";
    }
    self->files = argv + optind + 1;
    self->file_count = argc - optind - 1;
    return good ? -1 : EXIT_USAGE;
}

int cmd_suppressions(int argc, char **argv)
{
    static struct suppressions self;
    int status = read_options(argc, argv, &self);
    bool exporting = false;
    enum dsnd_err err;

    if (status >= 0)
        return status;
    exporting = self.file_count == 0 && strcmp(argv[optind], "export") == 0;
    if (!exporting && (self.file_count < 0 || strcmp(argv[optind], "import") != 0)) {
        if (self.file_count >= 0)
            (void)fprintf(stderr,
                          "dsnd suppressions: \"%s\" is neither export, which takes no "
                          "files, nor import\n",
                          argv[optind]);
        (void)fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (!options_fit(&self, exporting) ||
        arguments_settings("suppressions", self.config, &self.settings))
        return EXIT_USAGE;
    err = store_connect(self.settings.database.url, "dsnd suppressions", &self.conn);
    if (!err)
        err = store_actor_name(self.conn, "dsnd suppressions");
    if (err)
        status = failed(&self, err);
    else
        status = exporting ? run_export(&self) : run_import(&self);
    store_conn_free(self.conn);
    return status;
}
