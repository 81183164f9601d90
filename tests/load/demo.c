/*
 * dsnd-demo: a campaign's reports as many mail systems would send them, over SMTP. The last line of
 * standard output is one JSON object: what the API has to show when all have been stored.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/load/options.h"
#include "tests/load/plan.h"

static const char usage[] =
    "usage: dsnd-demo --smtp HOST:PORT --keys FILE --domain DOMAIN [--campaign KEY] [--sent N]\n"
    "                 [--seed N] [--connections N] [--signed-only] [--print]\n"
    "\n"
    "  --keys FILE      signing keys, as in [sign] keys_file; the first signs\n"
    "  --campaign KEY   key of the campaign (demo)\n"
    "  --sent N         deliveries, 1 to 10000000 (6000); about a third brings a report\n"
    "  --seed N         another number, another campaign (1)\n"
    "  --connections N  SMTP connections at once, 1 to 1000 (8)\n"
    "  --signed-only    no forged or unsigned reports, for a receiver that refuses them\n"
    "  --print          write the messages to standard output instead, as an mbox\n";

enum { EXIT_USAGE = 2, EXPECTED_MAX = 64 * 1024, TIMEOUT_S = 60 };

struct arguments {
    const char *smtp;
    const char *keys;
    struct plan_options plan;
    uint64_t connections;
    bool print;
};

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    const struct option_row rows[] = {
        {.name = "smtp", .text = &a->smtp},
        {.name = "keys", .text = &a->keys},
        {.name = "domain", .text = &a->plan.domain},
        {.name = "campaign", .text = &a->plan.campaign},
        {.name = "sent", .number = &a->plan.sent, .least = 1, .most = 10000000},
        {.name = "seed", .number = &a->plan.seed, .least = 0, .most = UINT32_MAX},
        {.name = "connections", .number = &a->connections, .least = 1, .most = 1000},
        {.name = "signed-only", .flag = &a->plan.signed_only},
        {.name = "print", .flag = &a->print},
    };

    return options_read(argc, argv, rows, sizeof(rows) / sizeof(*rows)) && a->keys &&
           a->plan.domain && (a->smtp || a->print);
}

static enum dsnd_err print_all(struct plan *plan)
{
    struct sender_message message;
    bool any = true;
    enum dsnd_err err = DSND_OK;

    while (any && !err) {
        err = plan_next(plan, &message, &any);
        if (any && !err &&
            printf("From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n%.*s\n",
                   DSND_STR_ARG(message.octets)) < 0)
            err = DSND_ERR_IO;
    }
    return err;
}

static enum dsnd_err send_all(const struct arguments *a, struct plan *plan)
{
    const struct sender_options options = {
        .address = a->smtp, .connections = (unsigned)a->connections, .timeout_s = TIMEOUT_S};
    const struct sender_source source = {plan_next, plan};
    struct sender_result result;
    enum dsnd_err err = sender_run(&options, &source, &result);

    if (err)
        (void)fprintf(stderr, "dsnd-demo: %s\n", result.error);
    return err;
}

int main(int argc, char **argv)
{
    struct arguments a = {.plan = {.campaign = "demo", .sent = 6000, .seed = 1}, .connections = 8};
    struct dsnd_buf expected = DSND_BUF_INIT(EXPECTED_MAX);
    struct return_path_keys keys;
    struct plan *plan = NULL;
    int status = EXIT_FAILURE;

    if (!read_arguments(argc, argv, &a)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    a.plan.keys = &keys;
    if (!options_keys(a.keys, &keys) || plan_new(&a.plan, &plan))
        goto out;
    if (a.print ? print_all(plan) : send_all(&a, plan))
        goto out;
    if (!a.print && (plan_expected(plan, &expected) ||
                     fwrite(expected.ptr, 1, expected.len, stdout) != expected.len))
        goto out;
    status = fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
out:
    if (status != EXIT_SUCCESS)
        (void)fputs("dsnd-demo: failed\n", stderr);
    plan_free(plan);
    dsnd_buf_done(&expected);
    return status;
}
