/*
 * dsnd-bench: how many reports a second come from SMTP into rows of PostgreSQL, what each costs in
 * which process, and how long a 250 takes. Lines "name value unit" on standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "tests/load/cpu.h"
#include "tests/load/options.h"
#include "tests/load/rows.h"
#include "tests/load/stream.h"

static const char usage[] =
    "usage: dsnd-bench --smtp HOST:PORT --database URL --pid PID --keys FILE --domain DOMAIN\n"
    "                  [--messages N] [--connections N] [--first-id N] [--rate N]\n"
    "       dsnd-bench --print --keys FILE --domain DOMAIN [--messages N] [--first-id N]\n"
    "\n"
    "  --pid PID        of dsnd serve\n"
    "  --messages N     1 to 100000000 (50000)\n"
    "  --connections N  SMTP connections at once, 1 to 1000 (100)\n"
    "  --rate N         messages a second at most (as many as go)\n"
    "  --first-id N     another number for each run against the same database (1)\n"
    "  --print          write the messages to standard output instead, as an mbox\n";

enum { EXIT_USAGE = 2, TIMEOUT_S = 60, ROWS_TIMEOUT_MS = 300 * 1000 };

struct bench {
    const char *smtp;
    const char *database;
    const char *keys_file;
    const char *domain;
    uint64_t pid;
    uint64_t messages;
    uint64_t connections;
    uint64_t first_id;
    uint64_t rate; /* 0: as many as go */
    bool print;
    struct return_path_keys keys;
    uint32_t *latency_us;
};

static bool read_arguments(int argc, char **argv, struct bench *b)
{
    const struct option_row rows[] = {
        {.name = "smtp", .text = &b->smtp},
        {.name = "database", .text = &b->database},
        {.name = "keys", .text = &b->keys_file},
        {.name = "domain", .text = &b->domain},
        {.name = "pid", .number = &b->pid, .least = 1, .most = INT32_MAX},
        {.name = "messages", .number = &b->messages, .least = 1, .most = 100000000},
        {.name = "connections", .number = &b->connections, .least = 1, .most = 1000},
        {.name = "first-id", .number = &b->first_id, .least = 1, .most = INT64_MAX},
        {.name = "rate", .number = &b->rate, .least = 1, .most = 1000000},
        {.name = "print", .flag = &b->print},
    };

    return options_read(argc, argv, rows, sizeof(rows) / sizeof(*rows)) && b->keys_file &&
           b->domain && (b->print || (b->smtp && b->database && b->pid));
}

static bool print_all(const struct bench *b)
{
    struct sender_message message;
    struct stream stream;
    bool any = true;
    bool good = true;

    stream_init(&stream, &b->keys, b->domain, b->first_id, b->messages);
    while (any && good) {
        good = !stream_next(&stream, &message, &any);
        if (good && any)
            good = printf("From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n%.*s\n",
                          DSND_STR_ARG(message.octets)) > 0;
    }
    stream_done(&stream);
    return good;
}

static bool send_all(const struct bench *b)
{
    struct stream stream;
    const struct sender_source source = {stream_next, &stream};
    const struct sender_options options = {
        .address = b->smtp,
        .connections = (unsigned)b->connections,
        .timeout_s = TIMEOUT_S,
        .latency_us = b->latency_us,
        .latency_size = b->messages,
    };
    struct sender_result result;
    bool good;

    stream_init(&stream, &b->keys, b->domain, b->first_id, b->messages);
    stream.rate = b->rate;
    good = !sender_run(&options, &source, &result);
    if (!good)
        (void)fprintf(stderr, "dsnd-bench: %s\n", result.error);
    stream_done(&stream);
    return good;
}

static bool wait_rows(struct rows *rows, uint64_t wanted)
{
    static const struct timespec pause = {.tv_nsec = 5000000};
    int64_t until = dsnd_clock_monotonic_ms() + ROWS_TIMEOUT_MS;
    uint64_t stored = 0;

    while (rows_stored(rows, &stored) && stored < wanted && dsnd_clock_monotonic_ms() < until)
        (void)nanosleep(&pause, NULL);
    if (stored < wanted)
        (void)fprintf(stderr, "dsnd-bench: only %llu of %llu became rows\n",
                      (unsigned long long)stored, (unsigned long long)wanted);
    return stored >= wanted;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void report(const struct bench *b, double sending_s, double rows_s,
                   const struct cpu_times *before, const struct cpu_times *after)
{
    static const double points[] = {0.5, 0.9, 0.99, 1.0};
    double n = (double)b->messages;
    double sum = 0;

    (void)printf("messages %llu\nmessages_to_250_per_s %.0f\nmessages_to_rows_per_s %.0f\n",
                 (unsigned long long)b->messages, n / sending_s, n / rows_s);
    qsort(b->latency_us, b->messages, sizeof(*b->latency_us), compare_u32);
    for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
        (void)printf("latency_to_250_p%g_ms %.2f\n", points[i] * 100,
                     (double)b->latency_us[(size_t)((n - 1) * points[i])] / 1000);
    for (int i = 0; i < CPU_COUNT; i++) {
        double us = (after->s[i] - before->s[i]) * 1e6 / n;

        sum += us;
        (void)printf("cpu_us_per_message_%s %.1f\n", cpu_part_name((enum cpu_part)i), us);
    }
    (void)printf("cpu_us_per_message_all %.1f\n", sum);
}

/* Every message is a row of its own, and nothing else is. */
static bool check_rows(struct rows *rows, uint64_t reports_before, uint64_t messages)
{
    uint64_t reports = 0;
    bool good = rows_in(rows, "report", &reports) && reports - reports_before == messages;

    if (!good)
        (void)fprintf(stderr, "dsnd-bench: %llu rows for %llu messages\n",
                      (unsigned long long)(reports - reports_before), (unsigned long long)messages);
    return good;
}

static bool measure(struct bench *b, struct rows *rows)
{
    pid_t postmaster = rows_postmaster(rows);
    struct cpu_times before;
    struct cpu_times after;
    uint64_t stored = 0;
    uint64_t reports = 0;
    int64_t begun;
    int64_t sent;
    int64_t done;

    if (!rows_stored(rows, &stored) || !rows_in(rows, "report", &reports))
        return false;
    cpu_read((pid_t)b->pid, postmaster, &before);
    begun = dsnd_clock_monotonic_ms();
    if (!send_all(b))
        return false;
    sent = dsnd_clock_monotonic_ms();
    if (!wait_rows(rows, stored + b->messages))
        return false;
    done = dsnd_clock_monotonic_ms();
    cpu_read((pid_t)b->pid, postmaster, &after);
    report(b, (double)(sent - begun) / 1000, (double)(done - begun) / 1000, &before, &after);
    return check_rows(rows, reports, b->messages);
}

int main(int argc, char **argv)
{
    struct bench b = {.messages = 50000, .connections = 100, .first_id = 1};
    struct rows *rows = NULL;
    bool good = false;

    if (!read_arguments(argc, argv, &b)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!options_keys(b.keys_file, &b.keys))
        return EXIT_FAILURE;
    if (b.print)
        return print_all(&b) && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    b.latency_us = calloc(b.messages, sizeof(*b.latency_us));
    rows = b.latency_us ? rows_open(b.database) : NULL;
    if (rows)
        good = measure(&b, rows);
    rows_close(rows);
    free(b.latency_us);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
