#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metrics.h"

static void slots_of_several_processes_add_up(void **state)
{
    int fd = -1;
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(metrics_share(&fd), DSND_OK);
    assert_int_equal(metrics_attach(fd, METRICS_SLOT_SERVE), DSND_OK);
    metrics_add(METRIC_RESTARTS, 2);
    pid = fork();
    if (pid == 0) {
        if (metrics_attach(fd, METRICS_SLOT_RECEIVE) == DSND_OK)
            metrics_add(METRIC_RESTARTS, 40);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(metrics_get(METRIC_RESTARTS), 42);
    close(fd);
}

static void text_has_help_once_a_name_and_a_line_a_row(void **state)
{
    struct dsnd_buf out = DSND_BUF_INIT(1 << 20);
    struct dsnd_str text;
    size_t at;

    (void)state;
    assert_int_equal(metrics_write(&out), DSND_OK);
    text = dsnd_buf_str(&out);
    at = dsnd_str_find(text, DSND_STR("# TYPE dsnd_smtp_rejects_total counter\n"));
    assert_int_not_equal(at, SIZE_MAX);
    text = dsnd_str_slice(text, at + 1, text.len);
    assert_int_equal(dsnd_str_find(text, DSND_STR("# TYPE dsnd_smtp_rejects_total")), SIZE_MAX);
    assert_int_not_equal(dsnd_str_find(text, DSND_STR("dsnd_smtp_rejects_total{reason=\"size\"} ")),
                         SIZE_MAX);
    dsnd_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_of_several_processes_add_up),
        cmocka_unit_test(text_has_help_once_a_name_and_a_line_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
