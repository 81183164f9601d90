/*
 * Arbitrary octets as dsnd.conf, with an option of each type. Properties: a file is taken or
 * refused with words that name it; what is taken keeps its bounds, and texts end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
    char text[CONFIG_STRING_SIZE];
    bool yes;
    uint64_t count;
    uint64_t octets;
    uint64_t duration;
    int choice;
};

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_values(const struct values *values)
{
    require(memchr(values->text, '\0', sizeof(values->text)));
    require(values->count >= 1 && values->count <= 1000);
    require(values->octets >= 1024 && values->octets <= UINT64_C(60) << 20);
    require(values->duration >= 1000 && values->duration <= UINT64_C(3600) * 1000);
    require(values->choice == 0 || values->choice == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const choices[] = {"reject", "normalize", NULL};
    static const struct config_option options[] = {
        {"smtp", "listen", CONFIG_STRING, offsetof(struct values, text), "", 0, 0, NULL, "a text",
         NULL},
        {"smtp", "signed", CONFIG_BOOL, offsetof(struct values, yes), "no", 0, 0, NULL, "or not",
         NULL},
        {"smtp", "count", CONFIG_COUNT, offsetof(struct values, count), "1", 1, 1000, NULL, "some",
         NULL},
        {"journal", "octets", CONFIG_OCTETS, offsetof(struct values, octets), "20M", 1024,
         UINT64_C(60) << 20, NULL, "a size", NULL},
        {"journal", "keep", CONFIG_DURATION, offsetof(struct values, duration), "5s", 1000,
         UINT64_C(3600) * 1000, NULL, "a time", NULL},
        {"journal", "bare", CONFIG_CHOICE, offsetof(struct values, choice), "reject", 0, 0, choices,
         "one of two", NULL},
    };
    static char name[64];
    static int fd = -1;
    static struct values values;
    char *const nothing[] = {NULL};
    struct config_error error = {""};

    if (fd < 0) {
        fd = memfd_create("conf", MFD_CLOEXEC);
        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    }
    require(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    if (config_load(options, sizeof(options) / sizeof(*options), name, nothing, &values, &error))
        require(error.text[0] && memchr(error.text, '\0', sizeof(error.text)));
    else
        check_values(&values);
    return 0;
}
