#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/json_in.h"
#include "api/timestamp.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "store/query_token.h"

static const char help[] =
    "usage: dsnd token add --name NAME --scopes SCOPE[,SCOPE...] [--expires TIME]\n"
    "       dsnd token list\n"
    "       dsnd token revoke ID...\n\n"
    "Tokens of the HTTP API. `add` prints the new token, and nothing else, on standard output;\n"
    "only its hash is stored, so it cannot be shown again. `revoke` ends a token within "
    "seconds.\n\n"
    "  --name NAME          who or what the token is for\n"
    "  --scopes LIST        of read, write, suppressions, admin\n"
    "  --expires TIME       as 2027-01-31T00:00:00Z; default: never\n"
    "  -c, --config FILE    the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

enum { TOKEN_NAME_MAX = 100 };

struct token_command {
    struct settings settings;
    const char *config;
    const char *name;
    const char *scopes;
    const char *expires;
    struct store_conn *conn;
    char **arguments; /* behind the verb */
    int argument_count;
};

static const struct {
    const char *name;
    unsigned scope;
} scopes[] = {
    {"read", STORE_SCOPE_READ},
    {"write", STORE_SCOPE_WRITE},
    {"suppressions", STORE_SCOPE_SUPPRESSIONS},
    {"admin", STORE_SCOPE_ADMIN},
};
enum { SCOPE_COUNT = sizeof(scopes) / sizeof(*scopes) };

/* The OR of a comma-separated list; 0 where it names something else or nothing. */
static unsigned read_scopes(const char *list)
{
    struct dsnd_str rest = dsnd_str_of(list);
    unsigned all = 0;

    while (dsnd_str_present(rest)) {
        struct dsnd_str word = dsnd_str_trim(dsnd_str_cut(&rest, ','));
        unsigned scope = 0;

        for (size_t i = 0; i < SCOPE_COUNT; i++)
            if (dsnd_str_eq(word, dsnd_str_of(scopes[i].name)))
                scope = scopes[i].scope;
        if (!scope) {
            (void)fprintf(stderr,
                          "dsnd token: \"%.*s\" is no scope: read, write, suppressions, admin\n",
                          DSND_STR_ARG(word));
            return 0;
        }
        all |= scope;
    }
    if (!all)
        (void)fputs("dsnd token: --scopes must name one of read, write, suppressions, admin\n",
                    stderr);
    return all;
}

static int failed(const struct token_command *self, enum dsnd_err err)
{
    const char *why = self->conn ? store_conn_error(self->conn) : "";

    (void)fprintf(stderr, "dsnd token: %s\n", why[0] ? why : dsnd_err_text(err));
    return EXIT_FAILED;
}

/* One line of `list`, whatever it says. */
static bool name_is_good(const char *name)
{
    struct dsnd_str text = dsnd_str_of(name);

    return text.len > 0 && text.len <= TOKEN_NAME_MAX && utf8_valid(text) && json_in_is_plain(text);
}

/* A token that is over at once would be looked for elsewhere. */
static bool expiry_is_good(const char *expires)
{
    int64_t us = 0;

    return !expires ||
           (timestamp_parse(dsnd_str_of(expires), &us) == DSND_OK && us > dsnd_clock_now_us());
}

/* The scopes; 0 where something is wrong with the arguments. */
static unsigned check_add(const struct token_command *self)
{
    if (!name_is_good(self->name))
        (void)fprintf(stderr,
                      "dsnd token: --name must have 1 to %d octets of UTF-8 without control "
                      "characters\n",
                      TOKEN_NAME_MAX);
    else if (!expiry_is_good(self->expires))
        (void)fputs("dsnd token: --expires must be a time to come, as 2027-01-31T00:00:00Z\n",
                    stderr);
    else
        return read_scopes(self->scopes);
    return 0;
}

/* Nobody can use a token that was not printed. */
static enum dsnd_err print_or_revoke(const struct token_command *self, const char *token,
                                     int64_t id)
{
    if (puts(token) != EOF && fflush(stdout) == 0)
        return DSND_OK;
    (void)fprintf(stderr, "dsnd token: it cannot be printed, and is revoked\n");
    return store_token_revoke(self->conn, id);
}

static int add(struct token_command *self)
{
    unsigned wanted = check_add(self);
    unsigned char hash[32];
    char token[AUTH_TOKEN_SIZE];
    int64_t id = 0;
    enum dsnd_err err;

    if (!wanted)
        return EXIT_USAGE;
    err = auth_mint(token, hash);
    if (!err)
        err = store_token_add(self->conn, hash, dsnd_str_of(self->name), wanted,
                              dsnd_str_of(self->expires), &id);
    if (!err)
        err = print_or_revoke(self, token, id);
    explicit_bzero(token, sizeof(token));
    return err ? failed(self, err) : EXIT_DONE;
}

static void print_token(const struct store_rows *rows, size_t row)
{
    static const enum store_token_column times[] = {STORE_TOKEN_CREATED_AT, STORE_TOKEN_EXPIRES_AT,
                                                    STORE_TOKEN_REVOKED_AT};
    unsigned held = (unsigned)store_rows_int(rows, row, STORE_TOKEN_SCOPES);
    const char *separator = "";

    (void)printf("%.*s\t", DSND_STR_ARG(store_rows_value(rows, row, STORE_TOKEN_ID)));
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (!(held & scopes[i].scope))
            continue;
        (void)printf("%s%s", separator, scopes[i].name);
        separator = ",";
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        struct dsnd_str value = store_rows_value(rows, row, times[i]);

        (void)printf("\t%.*s", DSND_STR_ARG(dsnd_str_present(value) ? value : DSND_STR("-")));
    }
    (void)printf("\t%.*s\n", DSND_STR_ARG(store_rows_value(rows, row, STORE_TOKEN_NAME)));
}

static int list(struct token_command *self)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = store_token_list(self->conn, &rows);

    if (err)
        return failed(self, err);
    (void)puts("id\tscopes\tcreated\texpires\trevoked\tname");
    for (size_t i = 0; i < store_rows_count(rows); i++)
        print_token(rows, i);
    store_rows_free(rows);
    return EXIT_DONE;
}

static bool ids_are_good(const struct token_command *self)
{
    uint64_t id;

    for (int i = 0; i < self->argument_count; i++) {
        if (dsnd_str_to_u64(dsnd_str_of(self->arguments[i]), INT64_MAX, &id) == DSND_OK)
            continue;
        (void)fprintf(stderr, "dsnd token: \"%s\" is no id as `dsnd token list` prints it\n",
                      self->arguments[i]);
        return false;
    }
    return true;
}

static int revoke(struct token_command *self)
{
    int status = EXIT_DONE;

    if (!ids_are_good(self))
        return EXIT_USAGE;
    for (int i = 0; i < self->argument_count; i++) {
        uint64_t id = 0;
        enum dsnd_err err = dsnd_str_to_u64(dsnd_str_of(self->arguments[i]), INT64_MAX, &id);

        if (!err)
            err = store_token_revoke(self->conn, (int64_t)id);
        if (err == DSND_ERR_NOT_FOUND) {
            (void)fprintf(stderr, "dsnd token: there is no valid token %llu\n",
                          (unsigned long long)id);
            status = EXIT_FAILED;
        } else if (err) {
            return failed(self, err);
        }
    }
    return status;
}

static const struct {
    const char *name;
    int (*run)(struct token_command *self);
    bool takes_arguments;
} verbs[] = {{"add", add, false}, {"list", list, false}, {"revoke", revoke, true}};

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct token_command *self)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'},    {"scopes", required_argument, NULL, 's'},
        {"expires", required_argument, NULL, 'e'}, {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},          {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (choice) {
        case 'n':
            self->name = optarg;
            break;
        case 's':
            self->scopes = optarg;
            break;
        case 'e':
            self->expires = optarg;
            break;
        case 'c':
            self->config = optarg;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return EXIT_DONE;
        default:
            return EXIT_USAGE;
        }
    }
    self->arguments = argv + optind + 1;
    self->argument_count = argc - optind - 1;
    return -1;
}

static int run_verb(struct token_command *self, size_t verb)
{
    int status;
    enum dsnd_err err;

    if (arguments_settings("token", self->config, &self->settings))
        return EXIT_USAGE;
    err = store_connect(self->settings.database.url, "dsnd token", &self->conn);
    status = err ? failed(self, err) : verbs[verb].run(self);
    store_conn_free(self->conn);
    return status;
}

int cmd_token(int argc, char **argv)
{
    static struct token_command command;
    int status = read_options(argc, argv, &command);

    if (status >= 0)
        return status;
    for (size_t i = 0; command.argument_count >= 0 && i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(argv[optind], verbs[i].name) == 0 &&
            verbs[i].takes_arguments == (command.argument_count > 0))
            return run_verb(&command, i);
    if (command.argument_count >= 0)
        (void)fprintf(stderr, "dsnd token: \"%s\" with %d arguments; allowed is one of these:\n",
                      argv[optind], command.argument_count);
    (void)fputs(help, stderr);
    return EXIT_USAGE;
}
