#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_in.h"
#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/material.h"

static const char help[] =
    "usage: dsnd mint --campaign KEY --recipient ADDRESS [--ref REF]\n"
    "       dsnd mint --campaign KEY < addresses\n\n"
    "Prints the signed return path under which mail of a campaign to a recipient is to be\n"
    "sent, minted today with the newest key. Without --recipient it reads an address a line\n"
    "from standard input, optionally followed by a tab and the sender's own id, and prints a\n"
    "return path a line; a line that cannot be minted gives an empty line, a message and exit\n"
    "status 1.\n\n"
    "  --campaign KEY       1 to 20 of [a-z0-9_-]\n"
    "  --recipient ADDRESS  who the mail is for\n"
    "  --ref REF            the sender's own id of the recipient, 1 to 16 of [a-z0-9_-];\n"
    "                       default: a hash of the address, which proves the address later\n"
    "  --domain DOMAIN      the bounce domain; default: the first of smtp.domains\n"
    "  --keys FILE          default: sign.keys_file\n"
    "  -c, --config FILE    the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

struct mint {
    struct settings settings;
    struct return_path_keys keys;
    struct return_path_request request; /* without recipient: standard input */
    const char *config;
    const char *keys_file;
    int64_t now_us;
};

static const char *explain(enum dsnd_err err)
{
    switch (err) {
    case DSND_ERR_SYNTAX:
        return "a campaign is 1-20 and a ref 1-16 of [a-z0-9_-], a domain letters, digits, hyphens "
               "and dots";
    case DSND_ERR_REFUSED:
        return "there is no key: set sign.keys_file or give --keys";
    case DSND_ERR_CONFLICT:
        return "an own ref must not begin like a default one (h and 13 of [a-z2-7])";
    case DSND_ERR_LIMIT:
        return "an address has at most 1024 octets, a domain 255, and dates end in 2109";
    default:
        return dsnd_err_text(err);
    }
}

/* NULL, or why there is no return path. */
static const char *mint(const struct mint *self, const struct return_path_request *request,
                        char ret_address[RETURN_PATH_SIZE])
{
    enum dsnd_err err;

    /* A report names the recipient bare: what is more than that would be proven by none. */
    if (!json_in_is_address(request->recipient))
        return "a recipient is one mail address and nothing else, as a@b.example";
    err = return_path_mint(&self->keys, request, self->now_us, ret_address);
    return err ? explain(err) : NULL;
}

/* One return path to standard output. `line` is that of the input; 0: the command line. */
static bool mint_one(const struct mint *self, const struct return_path_request *request,
                     unsigned long line)
{
    char address[RETURN_PATH_SIZE];
    const char *why = mint(self, request, address);

    if (!why) {
        (void)puts(address);
        return true;
    }
    if (line) {
        (void)puts("");
        (void)fprintf(stderr, "dsnd mint: line %lu: %s\n", line, why);
    } else {
        (void)fprintf(stderr, "dsnd mint: %s\n", why);
    }
    return false;
}

static bool mint_input(const struct mint *self)
{
    struct return_path_request request = self->request;
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    bool good = true;

    for (unsigned long line = 1; (len = getline(&text, &size, stdin)) != -1; line++) {
        struct dsnd_str rest = dsnd_str_trim(dsnd_str_make(text, (size_t)len));

        request.recipient = dsnd_str_trim(dsnd_str_cut(&rest, '\t'));
        request.ref = dsnd_str_present(rest) ? dsnd_str_trim(rest) : DSND_STR_ABSENT;
        good &= mint_one(self, &request, line);
    }
    free(text);
    if (ferror(stdin)) {
        perror("dsnd mint: standard input");
        return false;
    }
    return good;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct mint *self)
{
    static const struct option options[] = {
        {"campaign", required_argument, NULL, 'C'}, {"recipient", required_argument, NULL, 'R'},
        {"ref", required_argument, NULL, 'r'},      {"domain", required_argument, NULL, 'd'},
        {"keys", required_argument, NULL, 'k'},     {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},           {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (choice) {
        case 'C':
            self->request.campaign = dsnd_str_of(optarg);
            break;
        case 'R':
            self->request.recipient = dsnd_str_of(optarg);
            break;
        case 'r':
            self->request.ref = dsnd_str_of(optarg);
            break;
        case 'd':
            self->request.domain = dsnd_str_of(optarg);
            break;
        case 'k':
            self->keys_file = optarg;
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
    if (optind < argc)
        (void)fprintf(stderr,
                      "dsnd mint: \"%s\" is no option; addresses come by --recipient or "
                      "from standard input\n",
                      argv[optind]);
    else if (!dsnd_str_present(self->request.campaign))
        (void)fputs("dsnd mint: --campaign is missing\n", stderr);
    else if (dsnd_str_present(self->request.ref) && !dsnd_str_present(self->request.recipient))
        (void)fputs("dsnd mint: --ref names one recipient: give --recipient too\n", stderr);
    else
        return -1;
    (void)fputs(help, stderr);
    return EXIT_USAGE;
}

/* -1 to go on, else the exit status. */
static int load(struct mint *self)
{
    struct config_error error;

    if (arguments_settings("mint", self->config, &self->settings))
        return EXIT_USAGE;
    if (self->keys_file &&
        arguments_override("mint", "sign", "keys_file", self->keys_file, &self->settings))
        return EXIT_USAGE;
    if (material_keys(&self->settings, &self->keys, &error)) {
        (void)fprintf(stderr, "dsnd mint: %s\n", error.text);
        return EXIT_USAGE;
    }
    if (!dsnd_str_present(self->request.domain))
        self->request.domain = arguments_first(self->settings.smtp.domains);
    if (!dsnd_str_present(self->request.domain)) {
        (void)fputs("dsnd mint: no domain: set smtp.domains or give --domain\n", stderr);
        return EXIT_USAGE;
    }
    return -1;
}

int cmd_mint(int argc, char **argv)
{
    static struct mint mint;
    int status = read_options(argc, argv, &mint);
    bool good;

    if (status < 0)
        status = load(&mint);
    if (status >= 0)
        return status;
    mint.now_us = dsnd_clock_now_us();
    good = dsnd_str_present(mint.request.recipient) ? mint_one(&mint, &mint.request, 0)
                                                    : mint_input(&mint);
    explicit_bzero(&mint.keys, sizeof(mint.keys));
    return good && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}
