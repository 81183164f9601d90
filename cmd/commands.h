/*
 * The subcommands of the program: one file each. Each takes the arguments from its own name on,
 * prints its own --help, and returns the exit status: 0 done, 1 the work failed, 2 usage.
 */
#ifndef DSND_CMD_COMMANDS_H
#define DSND_CMD_COMMANDS_H

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_VERSION = 78, /* EX_CONFIG of sysexits.h: a journal of a newer format */
};

int cmd_serve(int argc, char **argv);
int cmd_receive(int argc, char **argv);
int cmd_pipeline(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_api(int argc, char **argv);
int cmd_relay(int argc, char **argv);
int cmd_webhooks(int argc, char **argv);
int cmd_lookup(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_suppressions(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_parse(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_ingest(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_reclassify(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_mint(int argc, char **argv);
int cmd_verify(int argc, char **argv);

#endif
