#include "base/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct metrics_region {
    _Atomic uint64_t values[METRICS_SLOT_COUNT][METRIC_COUNT];
};

static struct metrics_region own_region; /* until metrics_attach is given a shared one */
static struct metrics_region *region = &own_region;
static enum metrics_slot own_slot = METRICS_SLOT_SERVE;

static const struct {
    const char *name;
    const char *labels;
    const char *type;
    const char *help;
} table[METRIC_COUNT] = {
#define METRIC_ROW(id, metric_name, metric_labels, metric_type, metric_help) \
    [METRIC_##id] = {metric_name, metric_labels, metric_type, metric_help},
    METRICS_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

enum dsnd_err metrics_share(int *ret_fd)
{
    int fd = memfd_create("dsnd-metrics", 0);

    if (fd < 0)
        return DSND_ERR_IO;
    if (ftruncate(fd, (off_t)sizeof(struct metrics_region)) != 0) {
        (void)close(fd);
        return DSND_ERR_IO;
    }
    *ret_fd = fd;
    return DSND_OK;
}

enum dsnd_err metrics_attach(int fd, enum metrics_slot slot)
{
    void *map;

    own_slot = slot;
    if (fd < 0)
        return DSND_OK;
    map = mmap(NULL, sizeof(struct metrics_region), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return DSND_ERR_IO;
    region = map;
    return DSND_OK;
}

void metrics_add(enum metric metric, uint64_t n)
{
    atomic_fetch_add_explicit(&region->values[own_slot][metric], n, memory_order_relaxed);
}

void metrics_set(enum metric metric, uint64_t value)
{
    atomic_store_explicit(&region->values[own_slot][metric], value, memory_order_relaxed);
}

uint64_t metrics_get(enum metric metric)
{
    uint64_t sum = 0;

    for (int slot = 0; slot < METRICS_SLOT_COUNT; slot++)
        sum += atomic_load_explicit(&region->values[slot][metric], memory_order_relaxed);
    return sum;
}

enum dsnd_err metrics_write(struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;

    for (int i = 0; i < METRIC_COUNT && !err; i++) {
        bool labels = table[i].labels[0] != '\0';

        if (i == 0 || strcmp(table[i].name, table[i - 1].name) != 0)
            err = dsnd_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", table[i].name, table[i].help,
                                table[i].name, table[i].type);
        if (!err)
            err = dsnd_buf_addf(out, "%s%s%s%s %llu\n", table[i].name, labels ? "{" : "",
                                table[i].labels, labels ? "}" : "",
                                (unsigned long long)metrics_get((enum metric)i));
    }
    return err;
}
