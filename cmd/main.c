/*
 * dsnd: the return-path endpoint of bulk mail. Finds the subcommand and runs it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "cmd/commands.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"serve", cmd_serve, "run receiver, pipeline and API on this machine"},
    {"receive", cmd_receive, "the SMTP receiver and the journal's writer"},
    {"pipeline", cmd_pipeline, "from the journal through the parser into the database"},
    {"migrate", cmd_migrate, "bring the database schema up to date"},
    {"api", cmd_api, "serve the HTTP API"},
    {"relay", cmd_relay, "send receipts for delivered mail"},
    {"webhooks", cmd_webhooks, "tell endpoints of events"},
    {"lookup", cmd_lookup, "answer mail servers that look suppressions up"},
    {"token", cmd_token, "add, list and revoke tokens of the API"},
    {"suppressions", cmd_suppressions, "the suppression list to and from files"},
    {"parse", cmd_parse, "what stored messages report, as JSON"},
    {"explain", cmd_explain, "the same for people: how each decision was reached"},
    {"import", cmd_import, "store messages from files as if they were received"},
    {"ingest", cmd_ingest, "what a mail server's own log says: sent, delivered, delayed, failed"},
    {"classify", cmd_classify, "what one diagnostic text means"},
    {"rules", cmd_rules, "check or list classification rules"},
    {"reclassify", cmd_reclassify, "judge stored records by other rules"},
    {"mint", cmd_mint, "signed return paths"},
    {"verify", cmd_verify, "what a return path says and whether it is ours"},
    {"doctor", cmd_doctor, "look at everything the service needs, and say what to mend"},
    {"check-config", cmd_check_config, "say whether the configuration is good, and print it"},
};

static int usage(FILE *out)
{
    (void)fprintf(out, "usage: dsnd COMMAND [OPTION]...\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        (void)fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].help);
    (void)fprintf(out, "\ndsnd COMMAND --help says more; dsnd --version prints %s.\n",
                  DSND_VERSION);
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* What was printed and did not arrive was not done. Who closed the pipe knows it. */
static int finish(int status)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != EXIT_DONE)
        return status;
    if (errno != EPIPE)
        (void)fprintf(stderr, "dsnd: standard output: %s\n",
                      errno ? strerror(errno) : "was not written whole");
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct dsnd_str name = dsnd_str_of(argc > 1 ? argv[1] : "");

    (void)signal(SIGPIPE, SIG_IGN);
    if (dsnd_str_eq(name, DSND_STR("--help")) || dsnd_str_eq(name, DSND_STR("help")))
        return finish(usage(stdout));
    if (dsnd_str_eq(name, DSND_STR("--version"))) {
        (void)printf("dsnd %s\n", DSND_VERSION);
        return finish(EXIT_DONE);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (dsnd_str_eq(name, dsnd_str_of(commands[i].name)))
            return finish(commands[i].run(argc - 1, argv + 1));
    if (name.len)
        (void)fprintf(stderr, "dsnd: unknown command \"%s\"\n", argv[1]);
    return usage(stderr);
}
