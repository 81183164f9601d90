#include "tests/load/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { KEYS_FILE_MAX = 64 * 1024 };

static bool read_value(const struct option_row *row, const char *value)
{
    uint64_t number;

    if (row->flag) {
        *row->flag = true;
    } else if (row->text) {
        *row->text = value;
    } else if (dsnd_str_to_u64(dsnd_str_of(value), row->most, &number) || number < row->least) {
        (void)fprintf(stderr, "--%s %s: allowed is a number from %" PRIu64 " to %" PRIu64 "\n",
                      row->name, value, row->least, row->most);
        return false;
    } else {
        *row->number = number;
    }
    return true;
}

bool options_read(int argc, char **argv, const struct option_row *rows, size_t count)
{
    struct option longs[OPTION_ROWS_MAX + 1] = {{0}};
    bool good = true;
    int index = -1;

    assert(count <= OPTION_ROWS_MAX);
    for (size_t i = 0; i < count; i++)
        longs[i] =
            (struct option){rows[i].name, rows[i].flag ? no_argument : required_argument, NULL, 0};
    while (good) {
        int c = getopt_long(argc, argv, "", longs, &index);

        if (c < 0)
            break;
        good = c == 0 && read_value(&rows[index], optarg);
    }
    if (good && optind < argc) {
        (void)fprintf(stderr, "unexpected argument \"%s\"\n", argv[optind]);
        good = false;
    }
    return good;
}

bool options_keys(const char *path, struct return_path_keys *ret_keys)
{
    struct dsnd_buf text = DSND_BUF_INIT(KEYS_FILE_MAX);
    char error[256] = "";
    enum dsnd_err err = file_read(path, &text);

    if (err == DSND_ERR_IO)
        (void)snprintf(error, sizeof(error), "%s", strerror(errno));
    else if (err)
        (void)snprintf(error, sizeof(error), "%s", dsnd_err_text(err));
    else
        err = return_path_keys_read(dsnd_buf_str(&text), error, sizeof(error), ret_keys);
    if (err)
        (void)fprintf(stderr, "%s: %s\n", path, error);
    dsnd_buf_done(&text);
    return !err;
}
