#include "tests/load/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

static enum dsnd_err dial_one(const struct addrinfo *to, int *ret_fd)
{
    int on = 1;
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol);

    if (fd < 0)
        return DSND_ERR_IO;
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return DSND_ERR_IO;
    }
    *ret_fd = fd;
    return DSND_OK;
}

enum dsnd_err dial(const char *address, int *ret_fd)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct dsnd_str all = dsnd_str_of(address);
    size_t colon = dsnd_str_rchr(all, ':');
    struct dsnd_str name = dsnd_str_slice(all, 0, colon);
    struct addrinfo *found;
    char host[256];
    char port[8];
    enum dsnd_err err;

    if (colon == SIZE_MAX)
        return DSND_ERR_SYNTAX;
    if (dsnd_str_starts(name, DSND_STR("[")) && dsnd_str_iends(name, DSND_STR("]")))
        name = dsnd_str_slice(name, 1, name.len - 1);
    if (dsnd_str_copy(name, host, sizeof(host)) ||
        dsnd_str_copy(dsnd_str_slice(all, colon + 1, all.len), port, sizeof(port)))
        return DSND_ERR_SYNTAX;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return DSND_ERR_NOT_FOUND;
    err = dial_one(found, ret_fd);
    freeaddrinfo(found);
    return err;
}
