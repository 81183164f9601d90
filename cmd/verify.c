#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "api/json_out.h"
#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/material.h"

static const char help[] =
    "usage: dsnd verify ADDRESS [--recipient ADDRESS]\n\n"
    "Prints as JSON what a return path says and whether a key of ours signed it, after taking\n"
    "off BATV and SRS. Ends with 0 when it is ours and not too old, else with 1.\n\n"
    "  --recipient ADDRESS  say also whether the return path proves this address\n"
    "  --keys FILE          default: sign.keys_file\n"
    "  --max-age TIME       default: sign.max_age (60d)\n"
    "  -c, --config FILE    the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

struct verify {
    struct settings settings;
    struct return_path_keys keys;
    struct dsnd_str address;
    struct dsnd_str recipient;
    const char *config;
    const char *keys_file;
    const char *max_age;
};

static const char *const verdicts[] = {
    [RETURN_PATH_NONE] = "none",
    [RETURN_PATH_FORGED] = "forged",
    [RETURN_PATH_EXPIRED] = "expired",
    [RETURN_PATH_SIGNED] = "signed",
};

/* An empty string is null. */
static void text_member(struct json_out *json, const char *name, const char *text)
{
    json_out_name(json, name);
    json_out_str(json, text[0] ? dsnd_str_of(text) : DSND_STR_ABSENT);
}

/* "2026-11-23", the day of minting. */
static void day_member(struct json_out *json, const struct return_path *path)
{
    static const int64_t first_day = 18262; /* 2020-01-01 */
    char text[DSND_RFC3339_SIZE] = "";

    if (path->verdict != RETURN_PATH_NONE) {
        dsnd_clock_format((first_day + (int64_t)path->day) * DSND_US_PER_DAY, text);
        text[10] = '\0';
    }
    text_member(json, "minted_on", text);
}

static enum dsnd_err print_path(const struct verify *self, const struct return_path *path)
{
    struct dsnd_buf text = DSND_BUF_INIT(65536);
    struct json_out json;
    char key[2] = {path->key_id, '\0'};

    json_out_init(&json, &text);
    json_out_object(&json);
    json_out_name(&json, "address");
    json_out_str(&json, self->address);
    json_out_name(&json, "valid");
    json_out_bool(&json, path->verdict == RETURN_PATH_SIGNED);
    text_member(&json, "verdict", verdicts[path->verdict]);
    text_member(&json, "campaign", path->campaign);
    text_member(&json, "ref", path->ref);
    json_out_name(&json, "ref_is_hash");
    json_out_bool(&json, path->ref_is_hash);
    text_member(&json, "domain", path->domain);
    text_member(&json, "key", key);
    day_member(&json, path);
    if (dsnd_str_present(self->recipient)) {
        json_out_name(&json, "proves_recipient");
        json_out_bool(&json, return_path_proves(path, self->recipient));
    }
    json_out_object_end(&json);
    if (!json.err)
        (void)printf("%.*s\n", DSND_STR_ARG(dsnd_buf_str(&text)));
    dsnd_buf_done(&text);
    return json.err;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct verify *self)
{
    static const struct option options[] = {{"recipient", required_argument, NULL, 'R'},
                                            {"keys", required_argument, NULL, 'k'},
                                            {"max-age", required_argument, NULL, 'm'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (choice) {
        case 'R':
            self->recipient = dsnd_str_of(optarg);
            break;
        case 'k':
            self->keys_file = optarg;
            break;
        case 'm':
            self->max_age = optarg;
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
    self->address = dsnd_str_of(argv[optind]);
    return arguments_one("verify", help, "ADDRESS", argv + optind);
}

/* -1 to go on, else the exit status. */
static int load(struct verify *self)
{
    struct config_error error;

    if (arguments_settings("verify", self->config, &self->settings))
        return EXIT_USAGE;
    if (self->keys_file &&
        arguments_override("verify", "sign", "keys_file", self->keys_file, &self->settings))
        return EXIT_USAGE;
    if (self->max_age &&
        arguments_override("verify", "sign", "max_age", self->max_age, &self->settings))
        return EXIT_USAGE;
    if (material_keys(&self->settings, &self->keys, &error)) {
        (void)fprintf(stderr, "dsnd verify: %s\n", error.text);
        return EXIT_USAGE;
    }
    if (self->keys.count == 0) {
        (void)fputs("dsnd verify: there is no key: set sign.keys_file or give --keys\n", stderr);
        return EXIT_USAGE;
    }
    return -1;
}

int cmd_verify(int argc, char **argv)
{
    static struct verify verify;
    struct return_path path;
    enum dsnd_err err;
    int status = read_options(argc, argv, &verify);

    if (status < 0)
        status = load(&verify);
    if (status >= 0)
        return status;
    return_path_verify(&verify.keys, verify.address, dsnd_clock_now_us(),
                       (int64_t)verify.settings.sign.max_age * 1000, &path);
    err = print_path(&verify, &path);
    explicit_bzero(&verify.keys, sizeof(verify.keys));
    if (err)
        (void)fprintf(stderr, "dsnd verify: %s\n", dsnd_err_text(err));
    return !err && path.verdict == RETURN_PATH_SIGNED ? EXIT_DONE : EXIT_FAILED;
}
